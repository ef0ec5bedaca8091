// The acceptance page.
import assert from 'node:assert/strict'
import { LOOKS, PICTURES, heading, look, shows, tab, timed } from './lib.mjs'

const ROLES = { roles: ['license_administrator', 'service_support_administrator', 'user_administrator'], duration: 'P365D' }
const MESSAGE = 'Hello Ada, this is what we agreed on the phone. The roles are for the move of your mailboxes.'
const T = {
  en: { send: 'Send answer', less: 'Accept with less', sell: 'Accept without roles', decline: 'Decline', name: 'Your name', mail: 'Your work e‑mail', asks: /asks to become one of your partners/, again: 'Send it again', sellDone: 'You have accepted', declined: 'You have declined' },
  fr: { send: 'Envoyer la réponse', less: 'Accepter moins', sell: 'Accepter sans rôles', decline: 'Refuser', name: 'Votre nom', mail: 'Votre e‑mail professionnel', asks: /demande à devenir l’un de vos partenaires/, again: 'Renvoyer', sellDone: 'Vous avez accepté', declined: 'Vous avez refusé' }
}

// Changes a real preview, for states that this service can't be brought into.
export const withPreview = (page, change) => page.route('**/preview', async route => {
  const response = await route.fetch()
  const json = await response.json()
  if (response.ok()) change(json)
  await route.fulfill({ response, json })
})
export const PUBLIC = json => {
  // The address of the development identity provider differs in every run, and pictures show it.
  if (json.sign_in) json.sign_in.host = 'login.microsoftonline.com'
}
const problem = (code, status, more = {}) => route => route.fulfill({ status, contentType: 'application/problem+json', headers: { 'x-request-id': 'req-7', ...more.headers }, body: JSON.stringify({ type: 'about:blank', title: code, status, detail: code, code, retryable: false, ...more.body }) })
export const session = (customer, minutes = 14) => ({ kind: 'customer', id: customer.id, roles: ['global_admin'], session: { customer_name: customer.name, name: 'Ada Lopez', email: 'ada@contoso.example', expires_at: new Date(Date.now() + minutes * 6e4).toISOString(), now: new Date().toISOString() } })
export const signedIn = (page, me) => page.route('**/v1/me', route => me ? route.fulfill({ json: me }) : route.fulfill({ status: 401, json: { code: 'session_invalid' } }))
const fill = async (page, t) => {
  await page.getByLabel(t.name).fill('Ada Lopez')
  await page.getByLabel(t.mail).fill('ada@contoso.example')
  await page.locator('#admin').check()
}
const pick = (page, one) => page.locator('#pick-' + one).check()
const name = (state, { width, language, scheme }) => `invitation-${state}-${width}-${scheme}-${language}`

export async function invitation({ chrome, base, world, only }) {
  const partner = await world.partner()
  const tests = {}

  // Opens an invitation of its own.
  async function opened(looks, { asked = ROLES, change = PUBLIC, me = null, message = MESSAGE, cloud, more = () => {} } = {}) {
    const customer = await world.customer('Contoso', cloud)
    const seller = cloud ? await world.partner('Northwind Traders', cloud) : partner
    const sent = await world.invite(seller, customer, asked, { message })
    const page = await tab(chrome, base, looks)
    await withPreview(page, json => change(json))
    await signedIn(page, me && me(customer))
    await more(page, customer, sent)
    await page.goto(sent.link)
    await page.locator('#pick-decline, #main h1:visible:not(:has-text("…"))').first().waitFor({ timeout: 15000 }).catch(error => { throw new Error(page.watched.errors.join('\n') + error) })
    return { page, customer, sent, t: T[looks.language] }
  }
  const forEach = (name, run) => { tests[name] = async () => { for (const looks of LOOKS) await run(looks) } }

  forEach('pending: what is asked, and no answer preselected', async looks => {
    const { page, sent, t } = await opened(looks)
    await heading(page, t.asks)
    assert.equal(await page.locator('input[name=pick]:checked').count(), 0)
    assert.equal(new URL(page.url()).hash, '', 'the token is out of the address')
    assert.equal(await page.locator('#go').textContent(), t.send)
    await look(page, name('pending', looks))
    page.clean(sent.token)
    await page.done()
  })
  forEach('less: fewer roles, and the button says what it does', async looks => {
    const { page, sent, t } = await opened(looks)
    await pick(page, 'less')
    await page.locator('#role-2').uncheck()
    await page.locator('#time').selectOption('180')
    assert.match(await page.locator('#go').textContent(), looks.language === 'en' ? /Sign in to accept with 2.roles, 180.days/ : /Se connecter pour accepter avec 2.rôles, 180.jours/)
    await look(page, name('less', looks))
    // The picture of the README.
    if (looks.width === 1280 && looks.scheme === 'light' && looks.language === 'en') await page.screenshot({ path: process.env.WRITE_PICTURE ? 'docs/acceptance-page.png' : PICTURES + '/acceptance-page.png', clip: { x: 0, y: 0, width: 1280, height: 800 } })
    page.clean(sent.token)
    await page.done()
  })
  forEach('accept without roles by link', async looks => {
    const { page, sent, t } = await opened(looks)
    await pick(page, 'sell')
    await page.locator('#go').click()
    await look(page, name('errors', looks))
    assert.equal(await page.evaluate(() => document.activeElement.id), 'sum')
    await fill(page, t)
    await look(page, name('by-link', looks))
    await page.locator('#go').dblclick()
    await heading(page, t.sellDone)
    await look(page, name('accepted', looks))
    const posts = page.watched.requests.filter(request => request.url().endsWith('/accept'))
    assert.equal(posts.length, 1, 'a double click sends one answer')
    page.clean(sent.token)
    // Opened again: the same answer, seen later.
    await page.goto('about:blank')
    await page.goto(sent.link)
    await heading(page, looks.language === 'en' ? /This was accepted for/ : /a été acceptée pour/)
    await look(page, name('accepted-later', looks))
    await page.done()
  })
  forEach('decline with a reason', async looks => {
    const { page, sent, t } = await opened(looks)
    await pick(page, 'decline')
    await page.locator('#reason').fill('Not now.')
    await look(page, name('decline', looks))
    await page.locator('#go').click()
    await heading(page, t.declined)
    await look(page, name('declined', looks))
    page.clean(sent.token)
    await page.done()
  })
  forEach('signed in: as asked', async looks => {
    const { page, customer, sent } = await opened(looks, {
      me: session, more: async (page, customer, sent) => page.route(`**/v1/customers/${customer.id}/invitations/**`, async route => {
        const request = route.request()
        const response = await route.fetch({ headers: { ...request.headers(), authorization: 'Bearer ' + customer.key } })
        const json = await response.json()
        if (request.method() === 'GET') PUBLIC(json)
        else if (json.invitation?.answer) json.invitation.answer.proof = 'sign_in'
        await route.fulfill({ response, json })
      })
    })
    await pick(page, 'as')
    assert.equal(await page.locator('#name').inputValue(), 'Ada Lopez')
    await look(page, name('signed-in', looks))
    await page.locator('#go').click()
    await heading(page, T[looks.language].sellDone)
    await look(page, name('accepted-signed-in', looks))
    const sentBody = page.watched.requests.find(request => request.url().endsWith('/accept')).postDataJSON()
    assert.deepEqual(Object.keys(sentBody).sort(), ['accepted_by', 'delegated_admin', 'version'])
    const post = page.watched.requests.find(request => request.url().endsWith('/accept'))
    assert.equal(post.headers()['x-multipartner'], '1')
    page.clean(sent.token)
    await page.done()
  })
  const variants = {
    grant: { change: json => { PUBLIC(json); json.invitation.kind = 'grant' } },
    plain: { asked: null },
    full: { asked: { roles: ['global_administrator', 'user_administrator'], duration: 'P365D' } },
    extend: { asked: { roles: ['license_administrator'], duration: 'P180D', auto_extend: true } },
    gov: { cloud: 'us_gov', change: json => { PUBLIC(json); if (json.sign_in) json.sign_in.host = 'login.microsoftonline.us' } },
    'no-sign-in': { change: json => { PUBLIC(json); json.sign_in = null }, then: async page => pick(page, 'as') },
    suspended: { change: json => { PUBLIC(json); json.partner.status = 'suspended' } },
    newer: { change: json => { PUBLIC(json); json.invitation.state = 'dreaming' } },
    'unknown-role': { change: json => { PUBLIC(json); json.invitation.delegated_admin.roles = ['license_administrator', 'starship_commander'] } },
    expired: { change: json => { PUBLIC(json); json.invitation.state = 'expired' } },
    cancelled: { change: json => { PUBLIC(json); json.invitation.state = 'cancelled'; json.invitation.answer = { decision: 'cancelled', decided_at: new Date().toISOString() } } },
    closed: { change: json => { PUBLIC(json); json.invitation.state = 'cancelled'; json.invitation.answer = { decision: 'cancelled', reason: 'relationship_ended', decided_at: new Date().toISOString() } } },
    'other-organization': { me: customer => session({ id: '11111111-1111-4111-8111-111111111111', name: 'Fabrikam' }) },
    'wrong-address': {
      more: page => page.route('**/v1/sign-in', route => route.fulfill({ json: { authorize_url: 'https://login.example/authorize?redirect_uri=https%3A%2F%2Fpartners.example%2Fsigned-in%2Fpublic' } })),
      then: async page => { await pick(page, 'as'); await page.locator('#go').click(); await shows(page, 'https://partners.example') }
    },
    proof: {
      change: json => { PUBLIC(json); json.accept_proof = { relationship: 'link', roles: 'link' } },
      more: page => page.route('**/accept', problem('accept_proof_required', 403)),
      then: async (page, t) => { await pick(page, 'sell'); await fill(page, t); await page.locator('#go').click(); await page.locator('.note.alert').waitFor() }
    },
    unknown: {
      more: page => page.route('**/accept', route => route.abort()),
      then: async (page, t) => { await pick(page, 'sell'); await fill(page, t); await page.locator('#go').click(); await page.locator('.note.alert').waitFor(); assert.equal(await page.locator('#go').textContent(), t.again); assert.ok(await page.locator('#pick-as').isDisabled()) }
    },
    'too-many': {
      more: page => page.route('**/decline', route => route.fulfill({ status: 429, headers: { 'retry-after': '12' }, json: { message: 'Too Many Requests' } })),
      then: async page => { await pick(page, 'decline'); await page.locator('#go').click(); await page.locator('.note.alert').waitFor() }
    },
    offline: { then: async page => { await page.context().setOffline(true); await pick(page, 'decline'); await page.locator('#go').click(); await page.locator('.note.alert').waitFor() } },
    refused: {
      more: page => page.route('**/decline', problem('a_future_code', 409)),
      then: async page => { await pick(page, 'decline'); await page.locator('#go').click(); await shows(page, 'a_future_code') }
    },
    sending: {
      more: page => page.route('**/decline', () => {}),
      then: async page => { await pick(page, 'decline'); await page.locator('#go').click(); await page.locator('#go[aria-disabled=true]').waitFor() }
    }
  }
  for (const [state, { then = () => {}, ...options }] of Object.entries(variants)) forEach('state: ' + state, async looks => {
    const { page, sent, t } = await opened(looks, options)
    await then(page, t)
    await look(page, name(state, looks))
    page.clean(sent.token)
    await page.done()
  })
  Object.assign(tests, await special({ chrome, base, world, opened }))
  for (const [title, run] of Object.entries(tests)) if (!only || title.includes(only)) {
    await timed('acceptance page: ' + title, run)
  }
}

// What needs no picture in every look.
async function special({ chrome, base, world, opened }) {
  const looks = { width: 1280, language: 'en', scheme: 'light' }
  const tests = {}
  const end = async page => { page.clean(); await page.done() }

  tests['wrong, cut and pasted links'] = async () => {
    for (const looks of LOOKS) {
      const { customer, sent } = await invite()
      const page = await tab(chrome, base, looks)
      await signedIn(page)
      await page.goto(`${base}${sent.path}#${sent.token.slice(0, -5)}`)
      await heading(page, looks.language === 'en' ? 'This link does not work' : 'Ce lien ne fonctionne pas')
      await look(page, name('wrong', looks))
      await page.evaluate(() => sessionStorage.clear())
      await page.goto(base + sent.path)
      await heading(page, looks.language === 'en' ? 'Paste your link' : 'Collez votre lien')
      await look(page, name('paste', looks))
      await page.locator('#go').click()
      assert.equal(await page.locator('#link').getAttribute('aria-invalid'), 'true')
      await withPreview(page, PUBLIC)
      const broken = sent.link.slice(0, 30) + ' \n ' + sent.link.slice(30, -9) + '\r\n' + sent.link.slice(-9)
      await page.locator('#link').fill(broken)
      await page.locator('#go').click()
      await page.locator('#pick-decline').waitFor()
      page.clean(sent.token)
      await page.done()
      assert.ok(customer)
    }
  }
  async function invite(asked = ROLES, partner) {
    const customer = await world.customer()
    const sent = await world.invite(partner ?? await world.partner(), customer, asked, { message: MESSAGE })
    return { customer, sent }
  }

  tests['a link with line breaks, of another invitation, of an unknown and of a malformed id'] = async () => {
    const { sent } = await invite()
    let page = await tab(chrome, base, looks)
    await withPreview(page, PUBLIC)
    await signedIn(page)
    await page.goto(`${base}${sent.path}#${sent.token.slice(0, 10)}%20%0D%0A${sent.token.slice(10)}`)
    await page.locator('#pick-decline').waitFor()
    await page.done()
    page = await tab(chrome, base, looks)
    await withPreview(page, PUBLIC)
    await signedIn(page)
    const other = await invite()
    await page.goto(base + sent.path)
    await page.locator('#link').fill(other.sent.link)
    await page.locator('#go').click()
    await page.locator('#pick-decline').waitFor()
    assert.ok(page.url().includes(other.sent.id))
    for (const path of ['/i/inv_unknown', '/i/%00', '/i/%zz', '/i/%3Cscript%3Ealert(1)%3C%2Fscript%3E']) {
      await page.goto('about:blank')
      await page.goto(`${base}${path}#${sent.token}`)
      await heading(page, 'This link does not work')
      assert.ok(!(await page.locator('body').textContent()).includes('alert'))
    }
    await end(page)
  }

  tests['refusals are said in words'] = async () => {
    const { sent } = await invite()
    const page = await tab(chrome, base, looks)
    await page.route('**/preview', route => route.fulfill({ status: 403, json: { code: 'cross_site' } }))
    await page.goto(sent.link)
    await shows(page, 'Open your link again, at the address that it has.')
    await look(page, 'invitation-cross-site')
    await page.unroute('**/preview')
    await page.route('**/decline', problem('customer_is_csp_tenant', 403))
    await signedIn(page)
    await withPreview(page, PUBLIC)
    await page.reload()
    await pick(page, 'decline')
    await page.locator('#go').click()
    await shows(page, 'This organization sells here itself')
    await end(page)
  }
  tests['hostile names and messages are text'] = async () => {
    const names = ['<img src=x onerror=alert(1)> & Sons', '\u202eevil\u202c \u2066open', 'אבג ltd', '木'.repeat(100), 'W'.repeat(100), '{c} {p} {page}']
    for (const width of [320, 1280]) for (const hostile of names) {
      const { page, sent } = await opened({ ...looks, width }, { change: json => { PUBLIC(json); json.partner.name = hostile; json.customer.name = hostile; json.invitation.message = hostile + '\n' + hostile; json.partner.domain = 'xn--80ak6aa92e.example' } })
      const before = await page.evaluate(() => document.querySelectorAll('img, iframe, object').length)
      assert.equal(before, 0)
      const text = await page.locator('h1').textContent()
      assert.ok(!/[\u202a-\u202e\u2066-\u2069]/.test(text), 'direction marks are dropped')
      assert.ok(text.includes(hostile.replace(/[\u202a-\u202e\u2066-\u2069]/g, '')), text)
      assert.equal(await page.locator('h1 bdi').count(), 1)
      await look(page, `invitation-hostile-${names.indexOf(hostile)}-${width}`)
      page.clean(sent.token)
      await page.done()
    }
  }

  tests['a changed version: the answer is chosen again'] = async () => {
    let version = 1
    const { page } = await opened(looks, { change: json => { PUBLIC(json); json.invitation.version = version } })
    await pick(page, 'less')
    version = 2
    await page.reload()
    await shows(page, 'now asks for something else')
    assert.equal(await page.locator('input[name=pick]:checked').count(), 0)
    await look(page, 'invitation-changed')
    await end(page)
  }

  tests['the choices survive a reload, and the language changes in place'] = async () => {
    const { page } = await opened(looks)
    await pick(page, 'less')
    await page.locator('#role-1').uncheck()
    await page.reload()
    assert.ok(await page.locator('#pick-less').isChecked())
    assert.ok(!await page.locator('#role-1').isChecked())
    await page.getByRole('button', { name: 'Français' }).click()
    await heading(page, T.fr.asks)
    assert.ok(await page.locator('#pick-less').isChecked())
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'fr')
    assert.equal(await page.evaluate(() => document.activeElement.lang), 'fr')
    await end(page)
  }

  tests['answered meanwhile'] = async () => {
    const { page, sent } = await opened(looks)
    await pick(page, 'decline')
    await world.call('POST', `/v1/invitations/${sent.id}/accept`, { body: { token: sent.token, accepted_by: { name: 'Bo', email: 'bo@contoso.example', role: 'global_admin' }, delegated_admin: 'refused' } })
    await page.locator('#go').click()
    await shows(page, 'This was answered meanwhile')
    await heading(page, 'This was accepted for')
    await look(page, 'invitation-meanwhile')
    await end(page)
  }

  tests['outcome unknown: the same bytes are sent again, and count once'] = async () => {
    const { page } = await opened(looks)
    let first
    await page.route('**/decline', async route => { if (first) return route.continue(); first = route.request().postData(); await route.fetch(); await route.abort() })
    await pick(page, 'decline')
    await page.locator('#reason').fill('No.')
    await page.locator('#go').click()
    await shows(page, 'We do not know whether your answer arrived')
    await page.locator('#go').click()
    await heading(page, 'You have declined')
    const posts = page.watched.requests.filter(request => request.url().endsWith('/decline'))
    assert.deepEqual(posts.map(request => request.postData()), [first, first])
    await end(page)
  }

  tests['slow: the page says so'] = async () => {
    const { sent } = await invite()
    const page = await tab(chrome, base, looks)
    await signedIn(page)
    await page.route('**/preview', () => {})
    await page.goto(sent.link)
    await shows(page, 'This takes longer than usual')
    await look(page, 'invitation-slow')
    await end(page)
  }

  tests['no reply, and a reply of the gateway, while opening'] = async () => {
    const { sent } = await invite()
    const page = await tab(chrome, base, looks)
    await signedIn(page)
    await page.route('**/preview', route => route.abort())
    await page.goto(sent.link)
    await heading(page, 'The service does not answer')
    await look(page, 'invitation-unreachable')
    await page.unroute('**/preview')
    await page.route('**/preview', route => route.fulfill({ status: 429, json: { message: 'Too Many Requests' } }))
    await page.locator('#go').click()
    await heading(page, 'Too many requests at once')
    await end(page)
  }

  tests['back from sign-in: the same choice, and nothing was sent'] = async () => {
    const { page, customer, sent } = await opened(looks)
    let started
    await page.route('**/v1/sign-in', route => { started = route.request().postDataJSON(); route.fulfill({ json: { authorize_url: `${base}/signed-in/public#code=c&state=s` } }) })
    await page.route('**/v1/sessions', route => route.fulfill({ status: 201, json: { session: { tenant_id: customer.id, customer_name: customer.name }, invitation_id: sent.id, now: new Date().toISOString() } }))
    await page.route(`**/v1/customers/${customer.id}/**`, async route => {
      const response = await route.fetch({ headers: { ...route.request().headers(), authorization: 'Bearer ' + customer.key } })
      const json = await response.json()
      PUBLIC(json)
      await route.fulfill({ response, json })
    })
    await pick(page, 'less')
    await page.locator('#role-0').uncheck()
    await page.unroute('**/v1/me')
    await signedIn(page, session(customer))
    await page.locator('#go').click()
    await shows(page, 'Check your answer, then press the button. Nothing has been sent.')
    assert.deepEqual(started, { tenant_id: customer.id, cloud: 'public', invitation_id: sent.id })
    assert.ok(await page.locator('#pick-less').isChecked() && !await page.locator('#role-0').isChecked())
    assert.equal(page.watched.requests.filter(request => /accept$|decline$/.test(request.url())).length, 0)
    assert.equal(await page.locator('#name').inputValue(), 'Ada Lopez')
    await look(page, 'invitation-back')
    await end(page)
  }

  tests['the session ends: a warning two minutes before, then the link still declines'] = async () => {
    let minutes = 2.03
    const { page, customer } = await opened(looks, {
      me: customer => session(customer, minutes),
      more: (page, customer) => page.route(`**/v1/customers/${customer.id}/invitations/**`, async route => {
        const response = await route.fetch({ headers: { ...route.request().headers(), authorization: 'Bearer ' + customer.key } })
        const json = await response.json()
        PUBLIC(json)
        await route.fulfill({ response, json })
      })
    })
    await pick(page, 'as')
    await shows(page, 'Your sign-in ends in 2 minutes')
    await look(page, 'invitation-soon')
    await page.unroute(`**/v1/customers/${customer.id}/invitations/**`)
    await page.route(`**/v1/customers/${customer.id}/invitations/**`, problem('session_invalid', 401))
    await page.locator('#go').click()
    await shows(page, 'Your sign-in has ended')
    await look(page, 'invitation-ended')
    await pick(page, 'decline')
    await page.locator('#go').click()
    await heading(page, 'You have declined')
    await end(page)
  }

  tests['signing out: without a reply the session stays, and then the sign-in page can be left too'] = async () => {
    const { page } = await opened(looks, {
      me: customer => session(customer),
      more: (page, customer) => page.route(`**/v1/customers/${customer.id}/invitations/**`, async route => {
        const response = await route.fetch({ headers: { ...route.request().headers(), authorization: 'Bearer ' + customer.key } })
        const json = await response.json()
        PUBLIC(json)
        await route.fulfill({ response, json })
      })
    })
    await page.route('**/v1/sessions/current', route => route.abort())
    await pick(page, 'as')
    await page.locator('#out').click()
    await shows(page, 'You may still be signed in')
    assert.equal(await page.locator('#out').count(), 1)
    await look(page, 'invitation-sign-out-unknown')
    await page.unroute('**/v1/sessions/current')
    await page.route('**/v1/sessions/current', route => route.fulfill({ json: { sign_out_url: 'https://login.example/out' } }))
    await page.unroute('**/v1/me')
    await signedIn(page)
    await page.locator('#out').click()
    await shows(page, 'You are signed out here')
    assert.equal(await page.getByRole('link', { name: 'Sign out there too' }).getAttribute('href'), 'https://login.example/out')
    await look(page, 'invitation-signed-out')
    await end(page)
  }

  tests['a browser that keeps nothing'] = async () => {
    const { page, t } = await opened(looks, { more: page => page.addInitScript(() => {
      Object.defineProperty(globalThis, 'sessionStorage', { get() { throw new DOMException('blocked', 'SecurityError') } })
      Object.defineProperty(Navigator.prototype, 'cookieEnabled', { get: () => false })
    }) })
    await shows(page, 'You cannot sign in with this browser')
    await look(page, 'invitation-nothing-kept')
    await pick(page, 'sell')
    await fill(page, t)
    await page.locator('#go').click()
    await heading(page, t.sellDone)
    await end(page)
  }

  tests['without JavaScript the page says what to do'] = async () => {
    const { sent } = await invite()
    const page = await tab(chrome, base, { ...looks, javaScriptEnabled: false })
    await page.goto(sent.link)
    await heading(page, 'This page needs JavaScript')
    await page.screenshot({ path: `${PICTURES}/invitation-no-script.png` })
    await page.done()
  }

  tests['keyboard only, 200 % text, forced colors, reduced motion and print'] = async () => {
    const { page } = await opened({ ...looks, forcedColors: 'active', reducedMotion: 'reduce' })
    await look(page, 'invitation-forced-colors', { axe: false })
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => document.activeElement.id), 'skip')
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate(() => document.activeElement.id), 'answer')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')
    assert.ok(await page.locator('#pick-as').isChecked())
    for (let at = 0; at < 3; at++) await page.keyboard.press('ArrowDown')
    assert.ok(await page.locator('#pick-decline').isChecked())
    assert.equal(await page.evaluate(() => document.activeElement.id), 'pick-decline', 'drawing again keeps the focus')
    await page.keyboard.press('Tab')
    await page.keyboard.type('Not now, thank you.')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await heading(page, 'You have declined')
    assert.equal(await page.evaluate(() => document.activeElement.id), 'h')
    await page.emulateMedia({ media: 'print', forcedColors: 'none' })
    await look(page, 'invitation-print', { axe: false })
    await end(page)
    const large = await opened({ ...looks, width: 640 })
    await large.page.addInitScript(() => {})
    await large.page.evaluate(() => { document.documentElement.style.fontSize = '200%' })
    await look(large.page, 'invitation-200-percent', { axe: false })
    await large.page.done()
  }

  tests['the page under another name of this machine'] = async () => {
    const { sent } = await invite()
    const other = sent.link.replace('127.0.0.1', 'localhost')
    const first = await fetch(other, { redirect: 'manual' })
    if (first.status !== 307) {
      console.log('skipped: the page under another name: this run does not send it to its own address')
      return
    }
    const page = await tab(chrome, base, looks)
    await withPreview(page, PUBLIC)
    await page.goto(other)
    await page.locator('#pick-decline').waitFor()
    assert.ok(page.url().startsWith(base))
    await page.done()
  }

  tests['opening a page a thousand times changes nothing'] = async () => {
    const { customer, sent } = await invite()
    const read = () => world.call('GET', `/v1/customers/${customer.id}/events?limit=100`, { key: customer.key })
    const before = await read()
    for (let at = 0; at < 500; at++) for (const method of ['GET', 'HEAD']) {
      const response = await fetch(base + sent.path, { method })
      assert.equal(response.status, 200)
      await response.arrayBuffer()
    }
    assert.deepEqual(await read(), before)
    const preview = await world.call('POST', `/v1/invitations/${sent.id}/preview`, { body: { token: sent.token } })
    assert.equal(preview.invitation.version, 1)
  }
  return tests
}
