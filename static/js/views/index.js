/**
 * All views. To add one: a file that draws from (moment, ui), and a line here.
 *
 * @import {App} from '../app.js'
 * @import {Moment} from '../store/session.js'
 * @import {Ui} from '../store/ui.js'
 * @import {Translate} from '../i18n/i18n.js'
 * @typedef {{app: App, moment: Moment, ui: Ui, t: Translate, act: App['act']}} Context
 *   moment  the trace at the cursor: step, event, State(t), structure
 *   ui      what the reader chose, as signals
 *   act     performs an action by its id
 * @typedef {{id: string, place: 'header' | 'left' | 'centre' | 'right' | 'footer' | 'over', title: string, when?: (context: Context) => boolean,
 *   aside?: (context: Context) => any, draw: (context: Context) => any}} View
 *   when   absent: always shown
 *   aside  at the right end of the panel's title
 */
import { codeView } from './code.js';
import { explainView } from './explain.js';
import { fitView } from './fit.js';
import { gradientsView } from './gradients.js';
import { graphView } from './graph.js';
import { headerView } from './header.js';
import { helpView } from './help.js';
import { inspectorView } from './inspector.js';
import { landscapeView } from './landscape.js';
import { ledgerView } from './ledger.js';
import { lensView } from './lens.js';
import { lossView } from './loss.js';
import { outputView } from './output.js';
import { paletteView } from './palette.js';
import { parametersView } from './parameters.js';
import { shareView } from './share.js';
import { timelineView } from './timeline.js';
import { updateView } from './update.js';

/** @type {View[]} in the order in which they stand on the page */
export const VIEWS = [
  headerView,
  codeView,
  explainView,
  graphView,
  inspectorView,
  lensView,
  lossView,
  parametersView,
  updateView,
  outputView,
  gradientsView,
  landscapeView,
  fitView,
  ledgerView,
  timelineView,
  shareView,
  helpView,
  paletteView,
];
