// What all pages share: words, elements, dates, storage and requests.
// Text only ever becomes text: nothing parses markup, and names are isolated from what surrounds them.
export const LANGUAGES = { en: 'English', fr: 'Français' }
export let language = 'en'
export let words = {}
export const $ = id => document.getElementById(id)
const SVG = ['svg', 'circle', 'path', 'text']

export function h(tag, attributes, ...children) {
  const element = SVG.includes(tag) ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag)
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, '')
    else if (value != null && value !== false) element.setAttribute(name, value)
  }
  element.append(...children.flat(9).filter(child => child != null && child !== false))
  return element
}

// A browser lets an unclosed direction mark in a name reach beyond <bdi>, so the marks are dropped.
export const bare = text => String(text).replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
export const iso = text => h('bdi', {}, bare(text))

// The words of a key with its values: a text is isolated, an element is put in as it is.
export const say = (key, values = {}) => (words[key] ?? key).split(/(\{\w+\})/).map(part => {
  const name = /^\{(\w+)\}$/.exec(part)?.[1]
  return name ? typeof values[name] === 'object' ? values[name] : iso(values[name] ?? '') : part
})
export const plain = (key, values) => say(key, values).map(part => part.textContent ?? part).join('')
export const p = (key, values, kind) => h('p', { class: kind }, say(key, values))
export const count = number => new Intl.NumberFormat(language).format(number)
// A number with its noun, as in 3 roles.
export const num = (number, noun) => count(number) + '\u00a0' + words[noun][+(new Intl.PluralRules(language).select(number) !== 'one')]

const format = (options, value) => new Intl.DateTimeFormat(language, options).format(new Date(value))
export const date = value => format({ dateStyle: 'long' }, value)
export const time = value => format({ timeStyle: 'short' }, value)
export const moment = value => format({ dateStyle: 'medium', timeStyle: 'short' }, value)
export const region = code => {
  try { return new Intl.DisplayNames(language, { type: 'region' }).of(code) } catch { return iso(code) }
}
export const DAY = 864e5
export const days = duration => +/^P(\d+)D$/.exec(duration)?.[1] || 0

// The service's clock counts, not this machine's.
let ahead = 0
export const clock = text => { if (text) ahead = Date.parse(text) - Date.now() }
export const now = () => Date.now() + ahead

// What outlives the page in this tab. Without storage it is kept in memory.
const memory = {}
let kept = true
export const keep = (key, value) => {
  memory[key] = value
  try {
    if (value == null) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, JSON.stringify(value))
  } catch { kept = false }
}
export const recall = key => {
  try { return JSON.parse(sessionStorage.getItem(key)) } catch { kept = false }
  return memory[key] ?? null
}
export const keeps = () => kept && navigator.cookieEnabled

// A request. Only a session sends cookies. Code `unknown`: it may have arrived or not.
export async function call(method, path, { body, key, session, once } = {}) {
  const reads = method === 'GET'
  if (!reads && !navigator.onLine) return { code: 'offline', json: {} }
  const headers = {}
  if (body) headers['content-type'] = 'application/json'
  if (key) headers.authorization = 'Bearer ' + key
  if (once) headers['idempotency-key'] = once
  if (session && !reads) headers['x-multipartner'] = '1'
  try {
    const response = await fetch(path, {
      method, headers, body: body && JSON.stringify(body), credentials: session ? 'same-origin' : 'omit',
      cache: 'no-store', redirect: 'error', signal: AbortSignal.timeout(2e4)
    })
    const json = await response.json()
    const { status, ok } = response
    const code = ok ? '' : status === 429 && !json.code ? 'too_many' : json.code ?? (status < 500 ? 'not_found' : 'unknown')
    return { status, ok, json, code: status > 499 && code !== 'provider_unavailable' ? 'unknown' : code,
      id: response.headers.get('x-request-id'), wait: +response.headers.get('retry-after') || 30 }
  } catch {
    return { code: 'unknown', json: {} }
  }
}

// Changes what is shown. The focus stays where it was, and what was unfolded stays so.
export function show(at, ...nodes) {
  const { id, selectionStart } = document.activeElement ?? {}
  const unfolded = [...at.querySelectorAll('details[id][open]')]
  at.replaceChildren(...nodes.flat(9).filter(Boolean))
  for (const one of unfolded) if ($(one.id)) $(one.id).open = true
  const same = id && at.contains($(id)) && $(id)
  if (same) {
    same.focus({ preventScroll: true })
    try { if (selectionStart != null) same.setSelectionRange(selectionStart, selectionStart) } catch {}
  }
}
export const announce = text => { $('live').textContent = text }
// A new state: its heading takes the focus and names the page.
export function arrive(focus = true) {
  const heading = $('h')
  document.title = heading.textContent + ' – Multipartner'
  if (focus) heading.focus()
}

// Several buttons have the same words. `about` is the id of what one of them acts on, for readers that hear only the button.
export const button = (id, label, onclick, kind = '', about = null) => h('button', { id, type: 'button', class: kind, onclick, 'aria-describedby': about }, label)
// A dialog's heading has the focus first, so that all of it is read and Enter does nothing yet.
export const boxHeading = (key, values) => h('h2', { id: 'box-h', tabindex: '-1', autofocus: true }, say(key, values))
export const field = (id, label, control, error, hint) => h('div', { class: 'f' },
  h('label', { for: id }, label), error && h('span', { class: 'err', id: id + '-e' }, error), control, hint && h('p', { class: 'hint', id: id + '-h' }, hint))
export const note = (heading, body, kind = '') => h('div', { class: 'note ' + kind }, h('h2', {}, heading), body)
// Why the service refused: in the code's own words, or with the code and the number of the request.
export const why = ({ code, id }) => p(words['code ' + code] ? 'code ' + code : 'refused', { code, id: id ?? '–' })
export const list = (kind, items) => h('ul', { class: kind }, items.filter(Boolean).map(item => h('li', {}, item)))
const initial = name => /[\p{L}\p{N}]/u.exec(bare(name ?? ''))?.[0].toUpperCase() ?? ''
export const pair = (one, two, line) => h('svg', { class: 'pair', viewBox: '0 0 144 52', 'aria-hidden': 'true' },
  h('circle', { cx: 26, cy: 26, r: 24 }), h('circle', { cx: 118, cy: 26, r: 24 }), line && h('path', { d: 'M55 26H89', class: line }),
  h('text', { x: 26, y: 33 }, initial(one)), h('text', { x: 118, y: 33 }, initial(two)))

let loaded = []
const read = async name => (await fetch(`/assets/${name}.${language}.json`)).json()
export async function load(...names) {
  loaded = [...new Set([...loaded, ...names])]
  words = Object.assign({}, ...await Promise.all(loaded.map(read)))
}

// Starts a page: its words in the person's language, then its content. `draw` is called again when the language changes.
export async function start(name, begin, draw) {
  const asked = [recall('language'), ...navigator.languages ?? []].map(one => String(one).slice(0, 2))
  language = asked.find(one => one in LANGUAGES) ?? 'en'
  const frame = async () => {
    document.documentElement.lang = language
    $('langs').setAttribute('aria-label', words.language)
    $('foot').textContent = words.foot
    $('langs').replaceChildren(...Object.entries(LANGUAGES).map(([code, title]) =>
      h('button', { type: 'button', lang: code, 'aria-pressed': String(code === language), onclick: () => change(code) }, title)))
  }
  const change = async code => {
    const before = language
    language = code
    try { await load() } catch { language = before; return }
    keep('language', code)
    await frame()
    await draw()
    arrive(false)
    document.querySelector(`#langs [lang=${code}]`).focus()
  }
  try { await load('shared', name) } catch {
    $('broken').hidden = false
    return
  }
  await frame()
  begin()
}
