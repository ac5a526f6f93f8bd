/**
 * Before the first paint: the theme from the address, else the one chosen last. Not a module, so that nothing flashes.
 * The language is the server's choice (app/templating.py); here its name leaves the address once it is remembered, and a
 * page that the browser kept asks anew when another one was chosen meanwhile.
 */
(() => {
  const asked = new URLSearchParams(location.search);
  /** @param {string} name */
  const chosen = (name) => {
    try {
      return asked.get(name) ?? localStorage.getItem(`backstep.${name}`);
    } catch {
      return asked.get(name); // storage may be forbidden
    }
  };
  const theme = chosen('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  const language = () => /(?:^|; )backstep_lang=(\w+)/.exec(document.cookie)?.[1];
  if (asked.has('lang') && asked.get('lang') === language()) {
    asked.delete('lang');
    const rest = String(asked);
    history.replaceState(history.state, '', `${location.pathname}${rest && `?${rest}`}${location.hash}`);
  }
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted && !document.documentElement.lang.startsWith(language() ?? '')) location.reload();
  });
})();
