/**
 * The service, one method per route. Every refusal becomes a Problem with the server's words. Knows no page.
 *
 * @import {Event} from '../types.js'
 * @typedef {{slug: string, title: string, summary?: string, code: string, level?: string}} Lesson
 */
import { drain } from './jsonl.js';

/** RFC 9457, or the network's failure (`status` 0). */
export class Problem extends Error {
  /** @param {{status?: number, title?: string, detail?: string, hint?: string, [more: string]: any}} body */
  constructor(body) {
    super(body.detail || body.title || 'The request failed.');
    this.status = body.status ?? 0;
    this.title = body.title ?? '';
    this.hint = body.hint ?? '';
    this.body = body;
  }
}

export class Client {
  /** @param {string} base  /api/v1 @param {typeof fetch} [send] */
  constructor(base, send = (...args) => fetch(...args)) {
    this.base = base;
    this.send = send;
  }

  /** @param {string} path @param {RequestInit} [init] */
  async request(path, init = {}) {
    let response;
    try {
      response = await this.send(this.base + path, init);
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new Problem({ status: 0, title: 'offline', detail: '' });
    }
    if (response.ok) return response;
    const said = await response.json().catch(() => ({}));
    throw new Problem({ retry: Number(response.headers.get('retry-after')) || 0, ...said, status: response.status });
  }

  /** @param {string} path @param {RequestInit} [init] */
  async json(path, init) {
    return (await this.request(path, init)).json();
  }

  /** @param {string} path @param {unknown} body @param {RequestInit} [init] */
  post(path, body, init = {}) {
    return this.request(path, { ...init, method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...init.headers } });
  }

  /**
   * Starts a program and streams its trace.
   * @param {{code?: string, expression?: string, seed?: number}} program
   * @param {(events: Event[]) => void} take
   * @param {{signal?: AbortSignal, started?: (id: string, position: number) => void}} [options]
   */
  async run(program, take, { signal, started } = {}) {
    const response = await this.post('/runs', program, { signal, headers: { accept: 'application/jsonl' } });
    started?.(response.headers.get('backstep-run') ?? '', Number(response.headers.get('backstep-queue-position')) || 0);
    if (response.body) await drain(response.body, take, { signal });
  }

  /** @param {string} id @param {number} from  seq of the first event wanted @param {(events: Event[]) => void} take @param {{signal?: AbortSignal}} [options] */
  async events(id, from, take, { signal } = {}) {
    const response = await this.request(`/runs/${encodeURIComponent(id)}/events?from=${from}`, { signal, headers: { accept: 'application/jsonl' } });
    if (response.body) await drain(response.body, take, { signal });
  }

  /** All events of one step, recorded on demand. @param {string} id @param {number} step @param {{signal?: AbortSignal}} [options] @returns {Promise<Event[]>} */
  async step(id, step, { signal } = {}) {
    const response = await this.request(`/runs/${encodeURIComponent(id)}/steps/${step}`, { signal, headers: { accept: 'application/jsonl' } });
    /** @type {Event[]} */ const events = [];
    if (response.body) await drain(response.body, (items) => events.push(...items), { signal });
    signal?.throwIfAborted(); // a stream that was given up ends early, and would pass for a step in which little happened
    return events;
  }

  /** What a step would have given elsewhere, row by row. @param {string} id @param {import('../store/probe.js').Question} question @param {(events: Event[]) => void} take @param {{signal?: AbortSignal}} [options] */
  async probe(id, question, take, { signal } = {}) {
    const response = await this.post(`/runs/${encodeURIComponent(id)}/probe`, question, { signal, headers: { accept: 'application/jsonl' } });
    if (response.body) await drain(response.body, take, { signal });
  }

  /** The graph at a moment as text. @param {string} id @param {{step: number, at?: number, format: string}} moment @returns {Promise<string>} */
  async graph(id, { step, at, format }) {
    return (await this.request(`/runs/${encodeURIComponent(id)}/graph?step=${step}${at === undefined ? '' : `&at=${at}`}&format=${format}`)).text();
  }

  /** Numbers of a tensor at a moment; null while it has none. @param {string} id @param {number} tensor @param {{step: number, at: number, of: 'value' | 'grad', slice: string}} part @param {{signal?: AbortSignal}} [options] @returns {Promise<import('../types.js').Arr | null>} */
  async tensor(id, tensor, { step, at, of, slice }, { signal } = {}) {
    return (await this.json(`/runs/${encodeURIComponent(id)}/tensors/${tensor}?step=${step}&at=${at}&of=${of}&slice=${encodeURIComponent(slice)}`, { signal })).data;
  }

  /** The whole trace as it is kept. @param {string} id @returns {Promise<string>} */
  async trace(id) {
    return (await this.request(`/runs/${encodeURIComponent(id)}/events?from=0`)).text();
  }

  /** @param {string} id @returns {Promise<{position: number, status: string}>} */
  status(id) {
    return this.json(`/runs/${encodeURIComponent(id)}`);
  }

  /** @param {string} id */
  cancel(id) {
    return this.request(`/runs/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** @returns {Promise<any>} */
  ops() {
    return this.json('/ops');
  }

  /** @param {string} language @returns {Promise<Lesson[]>} */
  async lessons(language) {
    const said = await this.json(`/lessons?lang=${language}`);
    return Array.isArray(said) ? said : said.lessons ?? [];
  }

  /** @param {string} slug @param {string} language @returns {Promise<Lesson>} */
  lesson(slug, language) {
    return this.json(`/lessons/${encodeURIComponent(slug)}?lang=${language}`);
  }
}
