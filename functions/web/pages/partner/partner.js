// A partner's page, with its key. What the key's roles do not allow is not offered.
import { $, DAY, announce, arrive, boxHeading, button, call, date, days, field, h, iso, list, moment, note, now, num, p, plain, say, show, start, why, words } from './page.js'
import { roles, titles } from './roles.js'
import { form, made } from './invite.js'

const id = location.pathname.split('/')[2]
const root = '/v1/partners/' + id
// The key is in this variable and nowhere else.
let key = null
let view = 'closed'
let data = {}
let policy = {}
let me = null
let alert = null
let busy = false
let doing = null
let inviting = null
let forgetting
// Roles that end within 30 days, soonest first.
let ending = ''

const api = (method, path, options) => call(method, root + path, { key, ...options })
const get = path => api('GET', path)
const may = action => data.partner?.status !== 'suspended' && policy.roles?.actions?.[action]?.some(role => me?.roles.includes(role))
const mayAct = () => may('create_invitation')
const customerName = tenant => data.customers?.items.find(row => row.customer_tenant_id === tenant)?.name

function close(reason) {
  clearTimeout(forgetting)
  key = null
  data = {}
  me = inviting = null
  doing?.box.close()
  busy = false
  view = 'closed'
  alert = reason ? { key: reason } : null
  draw()
  arrive(Boolean(reason))
}

async function useKey(event) {
  event.preventDefault()
  const given = $('key').value.trim()
  if (!given || busy) return
  busy = true
  key = given
  alert = null
  clearTimeout(forgetting)
  forgetting = setTimeout(() => close('forgotten'), 9e5)
  await fetchAll()
  busy = false
}

async function fetchAll() {
  view = 'loading'
  ending = `state=active&ends_before=${new Date(now() + 30 * DAY).toISOString()}`
  draw()
  const [who, rules, ...answers] = await Promise.all([
    call('GET', '/v1/me', { key }), roles(), ...['', '/invitations', '/customers', '/endpoints', '/events', '/grants?' + ending].map(get)])
  const bad = [who, ...answers].find(answer => !answer.ok)
  if (!bad && !rules.roles) return unreachable()
  if (bad) return ['unknown', 'offline', 'too_many'].includes(bad.code) ? unreachable() : close('wrong_key')
  me = who.json
  policy = rules
  const [partner, invitations, customers, endpoints, events, grants] = answers.map(answer => answer.json)
  data = { partner: partner.partner, invitations, customers, endpoints, grants, deliveries: {} }
  data.types = Object.fromEntries(events.items.map(event => [event.event_id, event.type]))
  await Promise.all(endpoints.items.map(async one => { data.deliveries[one.endpoint_id] = (await get(`/endpoints/${one.endpoint_id}/deliveries?limit=10`)).json.items ?? [] }))
  if (!key) return
  view = 'open'
  draw()
  arrive()
}

function unreachable() {
  view = 'unreachable'
  draw()
  arrive()
}

function tell(name, more) {
  alert = { key: name, ...more }
  draw()
  announce(plain(name, alert))
}

async function more(name) {
  const answer = await get(`/${name}?${name === 'grants' ? ending + '&' : ''}cursor=${encodeURIComponent(data[name].next_cursor)}`)
  if (answer.code === 'cursor_invalid') return fetchAll()
  if (!answer.ok) return close('wrong_key')
  data[name] = { items: [...data[name].items, ...answer.json.items], next_cursor: answer.json.next_cursor }
  draw()
}

// Inviting, and changing what is asked

function invite(invitation) {
  inviting = form({
    at: $('main'), partner: data.partner, policy, invitation, name: invitation && customerName(invitation.customer_tenant_id),
    send: (path, body, once) => api('POST', path, { body, once }), setKey: given => { key = given },
    done: answer => { inviting = null; showLink(answer) },
    leave: () => { inviting = null; view = 'open'; draw(); arrive() }, showOpen: open => { inviting = null; view = 'open'; draw(); $('inv-' + open)?.scrollIntoView(); arrive() }
  })
}

function showLink(answer) {
  data.made = answer
  view = 'made'
  draw()
  arrive()
}

// Dialogs

const BOXES = {
  renew: () => ({ run: () => api('POST', `/invitations/${doing.id}/renew`, { body: {} }), after: showLink }),
  withdraw: () => ({ run: () => api('POST', `/invitations/${doing.id}/cancel`), done: 'done_withdraw' }),
  give: () => ({ run: () => api('DELETE', '/grants/' + doing.id), done: 'done_give', facts: true }),
  end: () => ({ run: () => api('DELETE', '/customers/' + doing.id), done: 'done_end', facts: true })
}

function ask(kind, id, values = {}) {
  doing = { kind, id, values, ...BOXES[kind]() }
  doing.box = h('dialog', { 'aria-labelledby': 'box-h', onclose: () => { doing?.box.remove(); doing = null } })
  document.body.append(doing.box)
  drawBox()
  doing.box.showModal()
}

function drawBox() {
  const { kind, values, note: told } = doing
  show(doing.box, boxHeading(kind + '_h', values),
    told && note(words[told] ?? words.box_refused, words[told] ? null : why({ code: told, id: doing.request })),
    doing.facts ? h('dl', {}, ['ends', 'stays', 'undo'].map(name => [h('dt', {}, words[name]), h('dd', {}, say(`${kind}_${name}`, values))])) : p(kind + '_x', values),
    h('p', { class: 'row' }, button('do', words[doing.busy ? 'sending' : kind + '_do'], confirm, kind === 'renew' ? 'go' : 'go danger'),
      button('keep', words[kind + '_keep'], () => doing.box.close(), 'go second')))
  if (doing.busy) $('do').setAttribute('aria-disabled', 'true')
}

async function confirm() {
  if (doing.busy) return
  doing.busy = true
  drawBox()
  const { run, after, done, values } = doing
  const answer = await run()
  if (!doing) return
  doing.busy = false
  if (answer.ok || answer.code === 'invalid_transition' && done) {
    doing.box.close()
    if (after) return after(answer.json)
    await fetchAll()
    return tell(answer.ok ? done : 'already', values)
  }
  if (['key_invalid', 'token_missing'].includes(answer.code)) {
    doing.box.close()
    return close('key_gone')
  }
  doing.note = { unknown: 'box_unknown', offline: 'box_offline', too_many: 'too_many' }[answer.code] ?? answer.code
  doing.request = answer.id
  drawBox()
}

async function resend(endpoint, event) {
  const answer = await api('POST', `/endpoints/${endpoint}/resend`, { body: { event_id: event } })
  if (answer.code === 'key_invalid') return close('key_gone')
  if (answer.ok) await fetchAll()
  tell(answer.ok ? 'resent' : { unknown: 'box_unknown', offline: 'box_offline' }[answer.code] ?? 'not_resent', { wait: answer.wait })
}

// What is shown

function closed() {
  return h('div', { class: 'one' }, h('h1', { id: 'h', tabindex: '-1' }, words.heading),
    alert && note(words[alert.key], words[alert.key + '_x'] && p(alert.key + '_x')), p('closed_x', {}, 'lead'),
    h('form', { novalidate: true, onsubmit: useKey }, field('key', words.key, h('input', {
      id: 'key', type: 'password', autocomplete: 'current-password', spellcheck: 'false', 'aria-describedby': 'key-h'
    }), null, say('key_x', { h: location.host })), h('button', { class: 'go', id: 'open' }, words.open_page)))
}

const moreButton = name => data[name].next_cursor && button('more-' + name, words.more, () => more(name), 'small second')
const PROOF = { sign_in: 'by_sign_in', link: 'by_link', key: 'by_key' }

function stateOf(one) {
  const { answer, state } = one
  const asked = one.delegated_admin?.roles.length ?? 0
  const given = answer?.delegated_admin
  const values = { d: date(answer?.decided_at ?? one.expires_at), r: answer?.reason ?? '', n: given ? given.roles.length : 0, m: num(asked, 'role'), t: given ? num(days(given.duration), 'day') : '' }
  const badge = { pending: 'open', accepted: 'good', declined: 'bad' }[state] ?? ''
  return [h('span', { class: 'state ' + badge }, words['state_' + state] ?? iso(state)), ' ',
    say({ pending: 'until', accepted: given ? 'accepted_roles' : asked ? 'accepted_none' : 'on', declined: answer?.reason ? 'declined_reason' : 'on' }[state] ?? 'on', values),
    state === 'accepted' && answer.proof && [' · ', words[PROOF[answer.proof]] ?? '']]
}

function invitation(one) {
  const name = customerName(one.customer_tenant_id)
  const label = one.external_reference ?? name
  const directory = { i: one.customer_tenant_id }
  const values = { c: name ?? label ?? plain('directory', directory) }
  const about = 'inv-' + one.invitation_id
  return [h('h3', { id: about }, label ? iso(label) : say('directory_only', directory)),
    label && p('directory', directory, 'hint'), h('p', {}, stateOf(one)),
    mayAct() && ['pending', 'expired'].includes(one.state) && h('p', { class: 'row' },
      button('renew-' + one.invitation_id, words.new_link, () => ask('renew', one.invitation_id, values), 'small', about),
      button('change-' + one.invitation_id, words.change_ask, () => invite(one), 'small', about),
      one.state === 'pending' && button('withdraw-' + one.invitation_id, words.withdraw, () => ask('withdraw', one.invitation_id, values), 'small warn', about))]
}

const daysLeft = grant => Math.ceil((Date.parse(grant.ends_at) - now()) / DAY)

// Roles that go on by themselves do not end.
function endsSoon() {
  const items = data.grants.items.filter(grant => !grant.auto_extend)
  const of = tenant => customerName(tenant) ?? plain('directory', { i: tenant })
  return (items.length > 0 || data.grants.next_cursor) && h('section', { id: 'ending' }, h('h2', {}, words.ending), list('rows', items.map(grant => [
    h('span', {}, iso(of(grant.customer_tenant_id)), h('span', { class: 'hint block' }, titles(grant.roles))),
    h('span', {}, date(grant.ends_at), ' · ', h('b', { class: 'soon' }, say('ends_in', { t: num(daysLeft(grant), 'day') })))])), moreButton('grants'))
}

function customer(row) {
  const active = row.state === 'active'
  const given = active ? (row.grants ?? []).filter(grant => ['active', 'suspended'].includes(grant.state)) : []
  const about = 'c-' + row.customer_tenant_id
  return [h('h3', { id: about }, iso(row.name)), h('p', { class: 'hint' }, say(active ? 'since' : 'ended', { d: date(active ? row.since : row.ended_at ?? row.since) })),
    given.map(grant => {
      const left = daysLeft(grant)
      return h('div', { class: 'grant' }, h('p', {}, say('roles_until', { d: date(grant.ends_at) }), ' ', titles(grant.roles)),
        left <= 30 && !grant.auto_extend && h('p', { class: 'soon' }, say('ends_in', { t: num(left, 'day') })),
        may('end_grant') && h('p', { class: 'row' }, button('give-' + grant.grant_id, words.give_back, () => ask('give', grant.grant_id, { c: row.name, n: num(grant.roles.length, 'role') }), 'small', about)))
    }), active && !given.length && p('no_roles'),
    active && may('end_relationship') && h('p', { class: 'row' }, button('end-' + row.customer_tenant_id, words.end_short, () => ask('end', row.customer_tenant_id, { c: row.name }), 'small warn', about))]
}

function message(endpoint, one) {
  const failed = ['exhausted', 'aborted'].includes(one.state)
  const missed = failed || one.state === 'endpoint_disabled' || one.state === 'pending' && one.last_status >= 300
  const values = { t: one.next_at ? moment(one.next_at) : '', s: String(one.last_status ?? one.failure ?? '–') }
  const about = `m-${endpoint.endpoint_id}-${one.event_id}`
  const type = one.purpose === 'event' ? data.types[one.event_id] ?? words.message : words['purpose_' + one.purpose] ?? one.purpose
  return [h('time', { datetime: one.created_at }, moment(one.created_at)), h('span', { id: about }, iso(type)), ' ',
    h('span', { class: 'how' }, say(failed ? 'failed' : one.state === 'pending' ? one.next_at ? 'next_try' : 'waiting' : 'state_' + one.state, values)),
    missed && endpoint.state === 'active' && one.purpose === 'event' && may('manage_endpoints') && button(`resend-${endpoint.endpoint_id}-${one.event_id}`, words.send_again, () => resend(endpoint.endpoint_id, one.event_id), 'small', about)]
}

function opened() {
  const { partner, invitations, customers, endpoints, deliveries } = data
  const names = { r: (policy.roles?.actions?.create_invitation ?? []).map(role => words['role_' + role] ?? role).join(', ') }
  return [h('div', { class: 'head' }, h('h1', { id: 'h', tabindex: '-1' }, iso(partner.name)), button('forget', words.forget, () => close('forgotten'), 'link')),
    partner.status === 'suspended' ? note(words.suspended, p('suspended_x')) : !mayAct() && note(words.look_only, p('look_only_x', names)),
    alert && note(say(alert.key, { c: alert.c ?? '' }), null, alert.key.startsWith('done') || alert.key === 'resent' || alert.key === 'already' ? 'good' : ''),
    mayAct() && h('p', { class: 'row' }, button('invite', words.invite, () => invite(), 'go')),
    endsSoon(),
    h('div', { class: 'cols two' }, h('div', {},
      h('section', {}, h('h2', {}, words.invitations), invitations.items.length ? list('cards', invitations.items.map(invitation)) : p('no_invitations'), moreButton('invitations')),
      h('section', {}, h('h2', {}, words.customers), customers.items.length ? list('cards', customers.items.map(customer)) : p('no_customers'), moreButton('customers'))),
    h('section', {}, h('h2', {}, words.messages), endpoints.items.length ? endpoints.items.map(one => [h('h3', {}, iso(one.url)), p('endpoint_' + one.state, {}, 'hint'),
      deliveries[one.endpoint_id]?.length ? list('line', deliveries[one.endpoint_id].map(each => message(one, each))) : p('no_messages')]) : p('no_endpoints')))]
}

function draw() {
  if (inviting) return
  const at = $('main')
  if (view === 'open') show(at, opened())
  else if (view === 'made') show(at, made(data.made, { partner: data.partner, policy, leave: fetchAll }))
  else if (view === 'closed') show(at, closed())
  else show(at, h('div', { class: 'one' }, h('h1', { id: 'h', tabindex: '-1' }, words[view === 'unreachable' ? 'unreachable' : 'heading']), p(view === 'unreachable' ? 'unreachable_x' : 'loading', {}, 'lead'),
    view === 'unreachable' ? button('go', words.again, fetchAll, 'go') : h('div', { class: 'wait' }, h('i', {}))))
}

// A page that the browser keeps in memory has neither key nor data.
addEventListener('pagehide', () => close())
start('partner', () => close(), async () => {
  await roles()
  if (inviting) inviting.draw()
  else draw()
  if (doing) drawBox()
})
