/** What a program calls torch's modules, and slips of the pen that can be seen without running it. Pure. */

const MODULES = ['torch', 'torch.nn', 'torch.nn.functional', 'torch.nn.init', 'torch.optim', 'torch.optim.lr_scheduler', 'torch.utils.data'];

/** Name in the program -> torch's module: `F` is `torch.nn.functional` after `import torch.nn.functional as F`. @param {string} code @returns {Map<string, string>} */
export function places(code) {
  const found = new Map(MODULES.map((module) => [module, module]));
  for (const [, module, name] of code.matchAll(/^\s*import\s+(torch[\w.]*)\s+as\s+(\w+)/gm)) found.set(name, module);
  for (const [, module, list] of code.matchAll(/^\s*from\s+(torch[\w.]*)\s+import\s+([^\n#]+)/gm)) {
    for (const [, name, alias] of list.matchAll(/(\w+)(?:\s+as\s+(\w+))?/g)) if (MODULES.includes(`${module}.${name}`)) found.set(alias ?? name, `${module}.${name}`);
  }
  for (const [name, module] of [...found]) {
    for (const inner of MODULES) if (inner.startsWith(`${module}.`)) found.set(name + inner.slice(module.length), inner);
  }
  return found;
}

const WIDE = /[，。；：（）【】“”‘’！]/g;

/** @typedef {{from: number, to: number, key: string, words?: Record<string, string | number>}} Slip */

/** @param {string} code @returns {Slip[]} */
export function slips(code) {
  /** @type {Slip[]} */ const found = [];
  let at = 0;
  for (const line of code.split('\n')) {
    const bare = line.replace(/(["'])(?:\\.|(?!\1).)*\1|#.*/g, (text) => ' '.repeat(text.length));
    for (const match of bare.matchAll(WIDE)) found.push({ from: at + match.index, to: at + match.index + 1, key: 'lint.wide', words: { sign: match[0] } });
    const print = /^\s*print\s+[^\s(=.]/.exec(bare);
    if (print) found.push({ from: at + print[0].indexOf('print'), to: at + print[0].indexOf('print') + 5, key: 'lint.print' });
    if (/^ *\t/.test(line) && /^ +\S/m.test(code)) found.push({ from: at, to: at + line.search(/\S|$/), key: 'lint.tab' });
    at += line.length + 1;
  }
  return found;
}
