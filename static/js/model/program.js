/** What stands in the editor: a program, or only a formula. Pure. */

const NAMES = /[A-Za-z_]\w*/;

/** Whether the text is one formula, `((x*w + b) - y)**2`, that a program is to be made of. @param {string} code */
export function formula(code) {
  const lines = code.split('\n').map((line) => line.replace(/#.*/, '').trim()).filter(Boolean);
  if (lines.length !== 1 || lines[0].length > 500) return null;
  const [line] = lines;
  if (!NAMES.test(line) || /["':;{]|\b(import|print|from|def|class|for|while|if|lambda|torch|np)\b|(?<![=!<>])=(?!=)/.test(line)) return null;
  return /[-+*/@(]/.test(line) ? line : null;
}

/** What to call a program in a list: its first comment, else its first line that does something. @param {string} code */
export function titleOf(code) {
  const lines = code.split('\n').map((line) => line.trim()).filter(Boolean);
  const comment = lines.find((line) => line.startsWith('#'))?.replace(/^#+\s*/, '');
  const first = lines.find((line) => !/^(import|from|#)/.test(line));
  return (comment || first || lines[0] || '').slice(0, 60);
}
