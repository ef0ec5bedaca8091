// A session is the administrator's sign-in in this browser. Its cookie is out of reach of scripts, so the page asks for it.
import { call, clock, keep, keeps, now } from './page.js'

// The live session: {tenant_id, customer_name, name?, email?, expires_at}; null if there is none.
export async function me() {
  const { json } = await call('GET', '/v1/me', { session: true })
  clock(json.session?.now)
  return json.session ? { ...json.session, tenant_id: json.id } : null
}

// Leaves for the sign-in page. It returns a problem, or `leaving`.
export async function signIn(body, back = location.pathname + location.search) {
  if (!keeps()) return { code: 'nothing_kept' }
  const answer = await call('POST', '/v1/sign-in', { session: true, body })
  if (!answer.ok) return answer
  const to = new URL(answer.json.authorize_url)
  const returns = to.searchParams.get('redirect_uri')
  // It would come back to another address, where the cookie of this one does not exist.
  const origin = returns ? new URL(returns).origin : location.origin
  if (origin !== location.origin) return { code: 'wrong_address', origin }
  keep('sign-in', { body, back })
  location.assign(to)
  return { code: 'leaving' }
}

export async function signOut() {
  return call('DELETE', '/v1/sessions/current', { session: true })
}

// Calls `soon` two minutes before the session ends, and `ended` at its end.
let timers = []
export function watch(session, soon, ended) {
  timers.forEach(clearTimeout)
  const left = session ? Date.parse(session.expires_at) - now() : 0
  timers = session ? [left > 12e4 ? setTimeout(soon, left - 12e4) : setTimeout(soon), setTimeout(ended, Math.max(left, 0))] : []
}
