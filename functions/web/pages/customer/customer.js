// A customer's page: what waits for an answer, its partners, and how to take back what was given.
import {
  $, DAY, announce, arrive, boxHeading, button, call, count, date, field, h, iso, keep, list, load, moment, note, now, num, p, plain, recall, say, show,
  start, time, why, words
} from './page.js'
import { me, signIn, signOut, watch } from './session.js'
import { approvers, roles, title, titles } from './roles.js'

const tenant = location.pathname.split('/')[2].toLowerCase()
const asked = new URLSearchParams(location.search).get('cloud')
const root = '/v1/customers/' + tenant
// The key is in this variable and nowhere else.
let key = null
let session = null
let view = 'loading'
let data = {}
let clouds = []
let approving = []
let cloud = asked
let alert = null
let busy = ''
let doing = null
let answering = null
let forgetting
// The first time the focus stays at the start of the page.
let first = true

const way = () => key ? { key } : { session: true }
const get = path => call('GET', root + path, way())
const nameOf = id => data.names?.[id] ?? id
const LISTS = ['partners', 'invitations', 'subscriptions', 'events', 'grants']
// Roles that end within 30 days, soonest first.
let ending = ''

// Opening and closing

async function begin() {
  data = {}
  answering = null
  view = 'loading'
  draw()
  arrive(false)
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(tenant)) return close('incomplete')
  const policy = await roles()
  clouds = Object.entries(policy.clouds ?? {}).filter(([, rules]) => rules.sign_in).map(([name]) => name)
  approving = [...new Set(clouds.flatMap(name => policy.clouds[name].sign_in.approver_roles))]
  if (!clouds.includes(cloud)) cloud = clouds.length === 1 ? clouds[0] : null
  session = clouds.length ? await me() : null
  if (session && session.tenant_id !== tenant) return close('other', { o: session.customer_name })
  if (session) return fetchAll()
  close()
}

function close(reason, more) {
  watch(null)
  clearTimeout(forgetting)
  key = session = null
  data = {}
  busy = ''
  view = 'closed'
  alert = reason && { key: reason, ...more }
  draw()
  arrive(!first)
  first = false
}

async function fetchAll() {
  view = 'loading'
  draw()
  ending = `state=active&ends_before=${new Date(now() + 30 * DAY).toISOString()}`
  const answers = await Promise.all(['', '/partners', '/invitations?state=pending', '/subscriptions', '/events', '/grants?' + ending, '/invitations'].map(get))
  const bad = answers.find(answer => !answer.ok)
  if (bad) return failed(bad)
  data = { customer: answers[0].json.customer }
  if (clouds.includes(data.customer.cloud)) cloud = data.customer.cloud
  LISTS.forEach((name, at) => { data[name] = answers[at + 1].json })
  // They have the names of partners that were never accepted.
  data.invited = answers[6].json.items
  named()
  view = 'open'
  draw()
  arrive(!first)
  first = false
  if (session) watch(session, () => tell('soon'), ended)
  const waiting = recall('c:' + tenant)
  keep('c:' + tenant, null)
  if (waiting && session) reopen(waiting)
}

function failed(answer) {
  if (answer.code === 'unknown' || answer.code === 'offline' || answer.code === 'too_many') {
    view = 'unreachable'
    draw()
    return arrive()
  }
  if (key) return close('wrong_key')
  return lost()
}

// The session is another's now, or none.
async function lost() {
  const found = await me()
  if (found && found.tenant_id !== tenant) return close('other', { o: found.customer_name })
  close('ended')
}

function named() {
  data.names = {}
  for (const row of data.partners.items) data.names[row.partner_id] = row.name
  for (const row of [...data.invitations.items, ...data.invited]) data.names[row.partner_id] ??= row.partner_name
}

async function useKey(event) {
  event.preventDefault()
  const given = $('key').value.trim()
  if (!given || busy) return
  busy = 'key'
  key = given
  session = null
  alert = null
  forgetting = setTimeout(() => close('forgotten'), 9e5)
  await fetchAll()
  busy = ''
}

async function enter() {
  if (!cloud) { alert = { key: 'e_cloud' }; draw(); return $('cloud-' + clouds[0]).focus() }
  busy = 'leaving'
  draw()
  const answer = await signIn({ tenant_id: tenant, cloud })
  if (answer.code === 'leaving') return
  busy = ''
  tell({ nothing_kept: 'nothing_kept', wrong_address: 'wrong_address', sign_in_unavailable: 'not_set_up', offline: 'offline', too_many: 'too_many' }[answer.code] ?? 'no_reply', answer)
}

async function leaveSession() {
  const answer = await signOut()
  if (answer.ok) return close('signed_out', { url: answer.json.sign_out_url })
  // The session may have ended meanwhile. Then the page says so already.
  if (session) tell(unsent(answer))
}

function ended() {
  if (doing) keep('c:' + tenant, { ...doing, note: null })
  doing?.box.close()
  close('ended')
}

function tell(name, more) {
  alert = { key: name, ...more }
  draw()
  announce(plain(name, alert))
}

// The words for a change that was not made, or perhaps not.
const unsent = ({ code }) => ({ unknown: 'box_unknown', offline: 'box_offline', too_many: 'too_many' })[code] ?? 'box_refused'

// What can be taken back

const CALLS = {
  end: () => call('DELETE', `${root}/partners/${doing.partner}`, way()),
  take: () => call('DELETE', `${root}/grants/${doing.grant}`, way()),
  less: () => call('PATCH', `${root}/grants/${doing.grant}`, { ...way(), body: change() })
}
const rowOf = id => data.partners.items.find(row => row.partner_id === id)
const grantOf = () => rowOf(doing.partner)?.grants?.find(grant => grant.grant_id === doing.grant)
const isLess = () => doing.roles.length > 0 && Object.keys(change()).length > 0

function change() {
  const grant = grantOf()
  return {
    ...doing.roles.length < grant.roles.length ? { roles: doing.roles } : {},
    ...doing.days ? { ends_at: new Date(now() + doing.days * DAY).toISOString() } : {}
  }
}

function ask(kind, partner, grant) {
  doing = { kind, partner, grant: grant?.grant_id, roles: grant?.roles, days: 0 }
  openBox()
}

function reopen(waiting) {
  const row = rowOf(waiting.partner)
  const still = row?.state === 'active' && (waiting.kind === 'end' || row.grants?.some(grant => grant.grant_id === waiting.grant))
  if (!still) return
  doing = { kind: waiting.kind, partner: waiting.partner, grant: waiting.grant, roles: waiting.roles, days: waiting.days, note: waiting.unknown ? 'still_unknown' : null }
  openBox()
}

function openBox() {
  doing.box = h('dialog', { 'aria-labelledby': 'box-h', onclose: () => { doing?.box.remove(); doing = null } })
  document.body.append(doing.box)
  drawBox()
  doing.box.showModal()
}

function drawBox() {
  const { kind, partner, note: told } = doing
  const grant = grantOf()
  const values = { p: nameOf(partner), n: grant && num(grant.roles.length, 'role'), r: grant && titles(grant.roles), g: words.global_admin }
  const gone = grant?.roles.filter(role => !doing.roles.includes(role)) ?? []
  const until = doing.days ? date(now() + doing.days * DAY) : grant && date(grant.ends_at)
  const nothing = kind === 'less' && !isLess()
  const ends = kind !== 'less' ? say(kind + '_ends', values) : !doing.roles.length ? words.keep_one : gone.length ? titles(gone) : words.nothing
  const stays = kind !== 'less' ? say(kind + '_stays', values) : doing.roles.length ? [titles(doing.roles), ', ', say('until', { d: until })] : '–'
  const undo = say(kind === 'end' ? clouds.length ? 'end_undo' : 'end_undo_key' : 'less_undo', values)
  show(doing.box, h('form', { method: 'dialog', onsubmit: event => event.preventDefault() },
    boxHeading(kind + '_h', values),
    kind === 'less' && lessForm(grant),
    told && note(words[told], told === 'box_refused' ? why(doing) : null, 'alert'),
    h('dl', {}, [['ends_now', ends], ['stays', stays], ['undo', undo]].map(([name, value]) => [h('dt', {}, words[name]), h('dd', {}, value)])),
    h('p', { class: 'row' },
      button('do', words[doing.busy ? 'sending' : kind + '_do'], confirm, kind === 'less' ? 'go' : 'go danger'),
      button('keep', words[kind + '_keep'], () => doing.box.close(), 'go second'))))
  const go = $('do')
  if (doing.busy || nothing) go.setAttribute('aria-disabled', 'true')
}

function lessForm(grant) {
  const left = (Date.parse(grant.ends_at) - now()) / DAY
  return [h('fieldset', {}, h('legend', {}, words.which), grant.roles.map((role, at) => h('label', { class: 'tick' }, h('input', {
    type: 'checkbox', id: 'less-' + at, checked: doing.roles.includes(role), onchange: event => {
      doing.roles = grant.roles.filter(one => one === role ? event.target.checked : doing.roles.includes(one))
      drawBox()
    }
  }), h('span', {}, iso(title(role)))))),
  field('less-days', words.how_long, h('select', { id: 'less-days', onchange: event => { doing.days = +event.target.value; drawBox() } },
    h('option', { value: 0, selected: !doing.days }, plain('as_now', { d: date(grant.ends_at) })),
    [180, 90, 30, 7].filter(one => one < left).map(one => h('option', { value: one, selected: one === doing.days }, num(one, 'day')))))]
}

async function confirm() {
  if (doing.busy || doing.kind === 'less' && !isLess()) return
  doing.busy = true
  drawBox()
  const answer = await CALLS[doing.kind]()
  doing.busy = false
  const { kind, partner } = doing
  const values = { p: nameOf(partner) }
  if (answer.ok || answer.code === 'invalid_transition') {
    doing.box.close()
    await fetchAll()
    return tell(answer.ok ? 'done_' + kind : 'already', values)
  }
  if (['session_invalid', 'key_invalid', 'token_missing'].includes(answer.code)) {
    if (session) return ended()
    doing.box.close()
    return close('wrong_key')
  }
  if (answer.code === 'not_found' && session) {
    doing.box.close()
    return lost()
  }
  doing.note = unsent(answer)
  Object.assign(doing, { unknown: answer.code === 'unknown', code: answer.code, id: answer.id })
  drawBox()
  announce(words[doing.note])
}

// An invitation is answered inside this page, so that a key is not lost.
async function answer(id) {
  if (!$('answer-css')) document.head.append(h('link', { id: 'answer-css', rel: 'stylesheet', href: '/assets/answer.css' }))
  const [module] = await Promise.all([import('./answer.js'), load('answer')])
  watch(null)
  answering = module.open($('main'), id, { tenant, ...way() }, leaveAnswer)
}

function leaveAnswer() {
  answering?.hide()
  answering = null
  $('skip').hidden = true
  if (key) fetchAll()
  else begin()
}

async function more(name) {
  const { next_cursor } = data[name]
  const filter = { invitations: 'state=pending&', grants: ending + '&' }[name] ?? ''
  const answer = await get(`/${name}?${filter}cursor=${encodeURIComponent(next_cursor)}`)
  if (answer.code === 'cursor_invalid') return fetchAll()
  if (!answer.ok) return failed(answer)
  data[name] = { items: [...data[name].items, ...answer.json.items], next_cursor: answer.json.next_cursor }
  named()
  draw()
}

// What is shown

const moreButton = name => data[name].next_cursor && button('more-' + name, words.more, () => more(name), 'small second')

const offersSignIn = () => ['soon', 'ended', 'other'].includes(alert?.key) && clouds.length > 0

function alerts() {
  if (!alert) return null
  const { key: name } = alert
  const good = name.startsWith('done_') || name === 'already'
  const again = offersSignIn()
  const body = {
    wrong_address: [p('wrong_address_x'), h('a', { href: alert.origin + location.pathname }, words.open_there)],
    signed_out: [p('signed_out_x'), alert.url && h('a', { href: alert.url }, words.sign_out_there)]
  }[name] ?? (words[name + '_x'] && p(name + '_x', alert))
  return note(say(name, { p: alert.p ?? '', o: alert.o ?? '', u: alert.origin ?? '', d: '' }), [body, again && button('note-go', words[name === 'other' ? 'sign_in' : 'sign_in_again'], enter, 'small')], good ? 'good' : '')
}

function keyForm() {
  return h('form', { novalidate: true, onsubmit: useKey }, field('key', words.key, h('input', {
    id: 'key', type: 'password', autocomplete: 'current-password', spellcheck: 'false', 'aria-describedby': 'key-h'
  }), null, say('key_x', { h: location.host })), h('button', { class: 'go' }, words.open))
}

function closed() {
  if (alert?.key === 'incomplete') return h('div', { class: 'one' }, h('h1', { id: 'h', tabindex: '-1' }, words.heading), p('incomplete', {}, 'lead'))
  const choose = clouds.length > 1 && !clouds.includes(asked)
  return h('div', { class: 'one' }, h('h1', { id: 'h', tabindex: '-1' }, words.heading), alerts(),
    clouds.length > 0 && [
      !offersSignIn() && p('sign_in_x', { a: approvers(approving) }, 'lead'),
      choose && h('fieldset', {}, h('legend', {}, h('b', {}, words.where)), clouds.map(name => h('label', { class: 'tick' }, h('input', {
        type: 'radio', name: 'cloud', id: 'cloud-' + name, checked: cloud === name, onchange: () => { cloud = name; alert = null; draw() }
      }), h('span', {}, words[name] ?? name)))),
      !offersSignIn() && h('p', {}, button('enter', words[busy === 'leaving' ? 'leaving' : 'sign_in'], enter, 'go'))],
    clouds.length ? h('details', { open: alert?.key === 'wrong_key' }, h('summary', {}, words.use_key), keyForm()) : keyForm())
}

function grants(row) {
  const about = 'p-' + row.partner_id
  return (row.grants ?? []).filter(grant => ['active', 'suspended'].includes(grant.state)).map(grant => {
    const left = daysLeft(grant)
    return h('div', { class: 'grant' },
      h('p', {}, say('roles_until', { d: date(grant.ends_at) }), ' ', titles(grant.roles)),
      h('p', { class: 'hint' }, grant.auto_extend ? say('extends', { t: num(180, 'day') }) : words.by_itself,
        left <= 30 && [' · ', h('b', { class: 'soon' }, say('ends_in', { t: num(left, 'day') }))],
        grant.state === 'suspended' && [' · ', words.paused]),
      h('p', { class: 'row' },
        (grant.roles.length > 1 || left > 7) && button('less-' + grant.grant_id, words.less_do, () => ask('less', row.partner_id, grant), 'small', about),
        button('take-' + grant.grant_id, words.take_h_short, () => ask('take', row.partner_id, grant), 'small', about)))
  })
}

// Roles that go on by themselves do not end.
function endsSoon() {
  const items = data.grants.items.filter(grant => !grant.auto_extend)
  return (items.length > 0 || data.grants.next_cursor) && h('section', { id: 'ending' }, h('h2', {}, words.ending), list('rows', items.map(grant => [
    h('span', {}, iso(nameOf(grant.partner_id)), h('span', { class: 'hint block' }, titles(grant.roles))),
    h('span', {}, date(grant.ends_at), ' · ', h('b', { class: 'soon' }, say('ends_in', { t: num(daysLeft(grant), 'day') })))])), moreButton('grants'))
}

const daysLeft = grant => Math.ceil((Date.parse(grant.ends_at) - now()) / DAY)

function partner(row) {
  const active = row.state === 'active'
  const proof = words['since_' + row.proof]
  const given = active ? grants(row) : []
  return [h('h3', { id: 'p-' + row.partner_id }, iso(row.name)),
    h('p', { class: 'hint' }, say(active ? 'partner_since' : 'partner_until', { d: date(active ? row.since : row.ended_at ?? row.since) }), active && proof && [' · ', proof]),
    row.partner_status === 'suspended' && h('p', { class: 'note' }, words.suspended),
    given, active && !given.length && p('no_roles'),
    active && h('p', { class: 'row end' }, button('end-' + row.partner_id, words.end_do_short, () => ask('end', row.partner_id), 'small warn', 'p-' + row.partner_id))]
}

const BY = event => {
  const { kind, proof } = event.actor
  return proof === 'sign_in' ? words.by_sign_in : proof === 'link' ? words.by_link : kind === 'operator' ? words.by_operator : kind === 'customer' && proof === 'key' ? words.with_key : ''
}

function happened(event) {
  const { type, data: facts, subject } = event
  const admin = facts?.grant ?? facts?.delegated_admin
  const values = {
    p: nameOf(subject.partner_id ?? ''), s: facts?.service ?? '', q: count(facts?.quantity ?? 0),
    t: num(admin?.starts_at ? Math.round((Date.parse(admin.ends_at) - Date.parse(admin.starts_at)) / DAY) : 180, 'day'),
    d: facts?.ends_at || facts?.ended_at ? date(facts.ends_at ?? facts.ended_at) : '', n: admin ? num(admin.roles.length, 'role') : words.none
  }
  const key = 'event ' + (type === 'invitation.accepted' && admin ? type + ' roles' : type)
  return [h('time', { datetime: event.occurred_at }, moment(event.occurred_at)), ' ', h('span', {}, key in words ? say(key, values) : iso(type)), BY(event) && h('span', { class: 'how' }, BY(event))]
}

function subscriptions() {
  const sellers = [...new Set(data.subscriptions.items.map(one => one.partner_of_record))]
  return sellers.map(seller => [h('h3', {}, say('sold_by', { p: nameOf(seller) })), list('rows', data.subscriptions.items.filter(one => one.partner_of_record === seller).map(one =>
    [h('span', {}, iso(one.friendly_name ?? one.service), ', ', count(one.quantity)), h('span', { class: 'hint' }, say('registered', { d: date(one.registered_at) }))]))])
}

function opened() {
  const { customer, partners, invitations, events } = data
  const former = partners.items.filter(row => row.state !== 'active')
  const active = partners.items.filter(row => row.state === 'active')
  return [h('div', { class: 'head' }, h('h1', { id: 'h', tabindex: '-1' }, iso(customer.name)),
    h('p', { class: 'who' }, session ? [h('span', {}, say(session.name ? 'signed_in_as' : 'signed_in_until', { n: session.name ?? '', t: time(session.expires_at) })), ' ', button('out', words.sign_out, leaveSession, 'link')]
      : [h('span', {}, words.by_key_here), ' ', button('out', words.forget, () => close('forgotten'), 'link')])),
  h('div', { id: 'alerts' }, alerts()),
  invitations.items.length > 0 && h('section', {}, h('h2', {}, words.waiting), list('rows cards', invitations.items.map(one => [
    h('span', { id: 'w-' + one.invitation_id }, say(one.kind === 'grant' ? 'asks_grant' : 'asks', { p: one.partner_name }), h('span', { class: 'hint block' }, say('open_until', { d: date(one.expires_at) }))),
    button('answer-' + one.invitation_id, words.look_and_answer, () => answer(one.invitation_id), 'small solid', 'w-' + one.invitation_id)])), moreButton('invitations')),
  endsSoon(),
  h('div', { class: 'cols two' }, h('div', {},
    h('section', {}, h('h2', {}, words.partners), active.length ? list('cards', active.map(partner)) : p('no_partners'),
      former.length > 0 && h('details', { id: 'former' }, h('summary', {}, words.former), list('cards', former.map(partner))), moreButton('partners')),
    h('section', {}, h('h2', {}, words.subscriptions), data.subscriptions.items.length ? [subscriptions(), moreButton('subscriptions'), p('claim', {}, 'hint')] : p('no_subscriptions'))),
  h('section', { class: 'past' }, h('h2', {}, words.happened), events.items.length ? list('line', events.items.map(happened)) : p('no_events'), moreButton('events')))]
}

function draw() {
  if (answering) return
  const at = $('main')
  if (view === 'open') show(at, opened())
  else if (view === 'closed') show(at, closed())
  else show(at, h('div', { class: 'one' }, h('h1', { id: 'h', tabindex: '-1' }, words[view === 'unreachable' ? 'unreachable' : 'heading']), p(view === 'unreachable' ? 'unreachable_x' : 'loading', {}, 'lead'),
    view === 'unreachable' ? button('go', words.again, () => key ? fetchAll() : begin(), 'go') : h('div', { class: 'wait' }, h('i', {}))))
}

addEventListener('pagehide', () => {
  // A page that the browser keeps in memory has neither key nor data.
  key = null
  answering?.hide()
  doing?.box.close()
  data = {}
  $('main').replaceChildren()
})
addEventListener('pageshow', event => { if (event.persisted) begin() })
start('customer', begin, async () => {
  await roles()
  if (answering) return answering.redraw()
  draw()
  if (doing) drawBox()
})
