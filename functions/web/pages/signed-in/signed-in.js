// Back from the sign-in page. It asks the service for a session, and goes on to where the person began.
import { $, arrive, button, call, h, keep, list, recall, say, show, start, words } from './page.js'
import { approvers, roles } from './roles.js'
import { me, signIn } from './session.js'

const cloud = location.pathname.split('/')[2]
const given = new URLSearchParams(location.hash.slice(1) || location.search)
// A code must not stay in the address or in the history.
if (location.hash || location.search) history.replaceState(null, '', location.pathname)
let state = { key: 'checking' }
// The roles that may answer in this cloud, by their template ids.
let approving = null

const STATES = {
  sign_in_expired: 'start_again', session_invalid: 'start_again', sign_in_failed: 'failed', provider_unavailable: 'silent', not_an_approver: 'no_role',
  approver_not_home: 'guest', customer_unknown: 'not_known', cloud_mismatch: 'not_known', sign_in_unavailable: 'not_set_up', unknown: 'silent',
  offline: 'silent', too_many: 'silent', csrf_refused: 'failed', validation_failed: 'failed', idempotency_in_progress: 'silent'
}
const began = () => recall('sign-in') ?? {}

function go(invitation, tenant) {
  keep('sign-in', { ...began(), returned: invitation ?? tenant })
  const { back } = began()
  // The page that was left, if it is of the same organization: it may have a question in its address.
  location.replace(invitation ? '/i/' + invitation : back?.startsWith('/c/' + tenant) ? back : '/c/' + tenant)
}

async function finish() {
  if (given.get('error')) return tell({ key: 'not_finished' })
  const code = given.get('code')
  const answer = code ? await call('POST', '/v1/sessions', { session: true, body: { cloud, code, state: given.get('state') ?? '', ...given.get('iss') && { iss: given.get('iss') } } }) : { code: 'sign_in_expired' }
  if (answer.ok) return go(answer.json.invitation_id, answer.json.session.tenant_id)
  // A reload, a second submit, or Back: the session may be live already.
  if (['sign_in_expired', 'unknown'].includes(answer.code)) {
    const session = await me()
    const { body } = began()
    if (session) return go(body?.tenant_id === session.tenant_id ? body.invitation_id : null, session.tenant_id)
  }
  tell({ key: STATES[answer.code] ?? 'failed', id: answer.id })
}

async function tell(next) {
  if (['no_role', 'guest'].includes(next.key)) approving = (await roles()).clouds?.[cloud]?.sign_in?.approver_roles
  state = next
  draw()
  arrive()
}

async function again() {
  const answer = await signIn(began().body, began().back)
  if (answer.code !== 'leaving') tell({ key: STATES[answer.code] ?? (answer.code === 'nothing_kept' ? 'start_again' : 'failed'), id: answer.id })
}

function draw() {
  const { key, id } = state
  const a = approvers(approving)
  const { body, back } = began()
  const can = { not_finished: 'ba', failed: 'a', silent: 'a', no_role: 'ab', guest: 'ab', not_known: 'b', not_set_up: 'b', start_again: 'b' }[key] ?? ''
  const actions = [...can].map(one => one === 'a' ? body && button('again', words.sign_in_again, again, 'go') : back && h('a', { class: 'go second', href: back }, words.back)).filter(Boolean)
  const next = { failed: ['failed_next'], no_role: ['no_role_next', 'no_role_ask'], guest: ['guest_next'], not_known: ['ask_partner'], start_again: ['start_again_next'] }[key] ?? []
  show($('main'), h('div', { class: 'one' },
    h('h1', { id: 'h', tabindex: '-1' }, words[key]), h('p', { class: 'lead' }, say(key + '_x', { a })),
    key === 'checking' && h('div', { class: 'wait' }, h('i', {})),
    next.length > 0 && list('next', next.map(one => say(one, { id: id ?? '–', a }))),
    actions.length > 0 && h('p', { class: 'row' }, actions)))
}

addEventListener('pageshow', event => { if (event.persisted) finish() })
start('signed-in', () => { draw(); arrive(false); finish() }, draw)
