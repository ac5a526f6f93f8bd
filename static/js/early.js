/** Before the first paint: theme and language from the address, else from what was chosen last. Not a module, so that nothing flashes. */
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
  const language = chosen('lang') ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
})();
