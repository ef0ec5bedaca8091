// The customer's page, on the real run with the organization's key; with a session where the run has sign-in, or its replies.
import assert from 'node:assert/strict'
import { LOOKS, heading, look, shows, tab, timed } from './lib.mjs'
import { session, signedIn } from './invitation.mjs'

const ROLES = { roles: ['license_administrator', 'service_support_administrator', 'user_administrator'], duration: 'P365D' }
const PERSON = { name: 'Ada Lopez', email: 'ada@contoso.example' }
const T = {
  en: { heading: 'Your organization’s page', answer: 'Look and answer', wrong: 'This key does not open this page', less: 'Give less', take: 'Take back', end: 'End the partnership', done: /has ended/ },
  fr: { heading: 'La page de votre organisation', answer: 'Voir et répondre', wrong: 'Cette clé n’ouvre pas cette page', less: 'Donner moins', take: 'Reprendre', end: 'Mettre fin au partenariat', done: /a pris fin/ }
}
const name = (state, { width, language, scheme }) => `customer-${state}-${width}-${scheme}-${language}`
// A policy with sign-in in these clouds, whether or not the run has it.
export const withSignIn = (page, clouds) => page.route('**/v1/policy', async route => {
  const response = await route.fetch()
  const json = await response.json()
  for (const [cloud, rules] of Object.entries(json.clouds)) rules.sign_in = clouds.includes(cloud) ? { issuer: 'https://login.example/{tenant_id}', approver_roles: ['global_administrator'], max_age_seconds: 900 } : null
  await route.fulfill({ response, json })
})

// Contoso has two partners, one former, and an invitation of a fourth.
async function scene(world) {
  const customer = await world.customer()
  const [northwind, fabrikam, former, litware] = await Promise.all(['Northwind Traders', 'Fabrikam', 'Adatum', 'Litware'].map(name => world.partner(name)))
  const accept = async (partner, asked, extra) => {
    const sent = await world.invite(partner, customer, asked)
    await world.call('POST', `/v1/customers/${customer.id}/invitations/${sent.id}/accept`, { key: customer.key, body: { version: 1, accepted_by: PERSON, ...extra } })
  }
  await accept(northwind, ROLES, { delegated_admin: { roles: ROLES.roles.slice(0, 2), duration: 'P20D' } })
  const byLink = await world.invite(fabrikam, customer, null)
  await world.call('POST', `/v1/invitations/${byLink.id}/accept`, { body: { token: byLink.token, accepted_by: { ...PERSON, role: 'global_admin' } } })
  await accept(former, null)
  await world.call('DELETE', `/v1/customers/${customer.id}/partners/${former.id}`, { key: customer.key })
  for (const [at, seller] of [northwind, fabrikam].entries()) await world.call('POST', `/v1/partners/${seller.id}/subscriptions`, { key: seller.key, body: {
    subscription_id: `s-${customer.id.slice(0, 8)}-${at}`, customer_tenant_id: customer.id, service: 'Office suite for business', offer_id: 'OFFER-1', quantity: 25, billing_cycle: 'monthly', term: 'P1Y' } })
  const waiting = await world.invite(litware, customer, ROLES, { message: 'As agreed.' })
  return { customer, northwind, fabrikam, former, litware, waiting }
}

export async function customer({ chrome, base, world, only }) {
  const tests = {}
  const forEach = (title, run) => { tests[title] = async () => { for (const looks of LOOKS) await run(looks, T[looks.language]) } }
  const first = { width: 1280, language: 'en', scheme: 'light' }

  async function opened(looks, made, more = () => {}) {
    const page = await tab(chrome, base, looks)
    await withSignIn(page, [])
    await more(page)
    await page.goto(`${base}/c/${made.customer.id}`)
    await page.locator('#key').fill(made.customer.key)
    await page.locator('form .go').click()
    await heading(page, made.customer.name)
    return page
  }
  const hasKeyNowhere = async (page, key) => {
    for (const request of page.watched.requests) {
      assert.ok(!request.url().includes(key))
      assert.equal(request.headers().cookie, undefined)
    }
    const stored = await page.evaluate(() => JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage }) + document.documentElement.outerHTML + location.href)
    assert.ok(!stored.includes(key), 'the key is in memory only')
  }

  forEach('closed, wrong key, and bad address', async (looks, t) => {
    const made = await world.customer()
    const page = await tab(chrome, base, looks)
    await withSignIn(page, [])
    await page.goto(`${base}/c/${made.id}`)
    await heading(page, t.heading)
    await look(page, name('closed-key', looks))
    await page.locator('#key').fill('mpk_' + 'A'.repeat(43))
    await page.locator('form .go').click()
    await shows(page, t.wrong)
    await look(page, name('wrong-key', looks))
    await page.goto(`${base}/c/not-an-id`)
    await page.locator('.lead').waitFor()
    await look(page, name('incomplete', looks))
    page.clean()
    await page.done()
    const other = await tab(chrome, base, looks)
    await withSignIn(other, ['public', 'us_gov'])
    await signedIn(other)
    await other.goto(`${base}/c/${made.id}`)
    await other.locator('#enter').waitFor()
    await look(other, name('closed-sign-in', looks))
    other.clean()
    await other.done()
  })
  forEach('open with a key: everything is shown, and the key stays in memory', async looks => {
    const made = await scene(world)
    const page = await opened(looks, made)
    await page.locator('.cards h3').first().waitFor()
    assert.match(await page.locator('#ending').textContent(), /Northwind.*20/, 'roles that end within 30 days')
    await look(page, name('open', looks))
    await hasKeyNowhere(page, made.customer.key)
    page.clean()
    await page.done()
  })
  forEach('give less, take back, end: each says what ends, what stays and how to undo it', async (looks, t) => {
    const made = await scene(world)
    const page = await opened(looks, made)
    const row = () => world.call('GET', `/v1/customers/${made.customer.id}/partners/${made.northwind.id}`, { key: made.customer.key }).then(json => json.relationship)
    await page.locator('[id^=less-grt]').click()
    await page.locator('#less-1').uncheck()
    await page.locator('#less-0').uncheck()
    assert.equal(await page.locator('#do').getAttribute('aria-disabled'), 'true', 'no role is no choice')
    await page.locator('#less-0').check()
    await page.locator('#less-days').selectOption('7')
    await look(page, name('dialog-less', looks))
    await page.locator('#do').dblclick()
    await page.locator('dialog').waitFor({ state: 'detached' })
    await page.locator('.note.good').waitFor()
    assert.deepEqual((await row()).grants[0].roles, ['license_administrator'])
    await look(page, name('done-less', looks))
    await page.locator('[id^=take-grt]').click()
    await look(page, name('dialog-take', looks))
    await page.locator('#do').click()
    await page.locator('dialog').waitFor({ state: 'detached' })
    await page.locator('.note.good').waitFor()
    assert.equal((await row()).grants[0].state, 'ended')
    await page.locator('#end-' + made.northwind.id).click()
    await look(page, name('dialog-end', looks))
    await page.locator('#keep').click()
    assert.equal((await row()).state, 'active')
    assert.equal(await page.evaluate(() => document.activeElement.id), 'end-' + made.northwind.id, 'the focus goes back')
    await page.locator('#end-' + made.northwind.id).click()
    await page.locator('#do').click()
    await page.locator('dialog').waitFor({ state: 'detached' })
    await page.locator('.note.good').waitFor()
    assert.equal((await row()).state, 'ended')
    assert.match(await page.locator('.note.good').textContent(), t.done)
    await hasKeyNowhere(page, made.customer.key)
    page.clean()
    await page.done()
  })
  forEach('look and answer inside the page, with the key', async (looks, t) => {
    const made = await scene(world)
    const page = await opened(looks, made)
    await page.getByRole('button', { name: t.answer }).click()
    await page.locator('#pick-less').check()
    await page.locator('#role-0').uncheck()
    await page.locator('#name').fill('Ada Lopez')
    await page.locator('#mail').fill('ada@contoso.example')
    await look(page, name('answer', looks))
    await page.locator('#go').click()
    await page.locator('.rec').waitFor()
    await look(page, name('answered', looks))
    await page.locator('#leave').click()
    await heading(page, made.customer.name)
    assert.equal(await page.locator('.cards.rows').count(), 0, 'nothing waits')
    await hasKeyNowhere(page, made.customer.key)
    page.clean()
    await page.done()
  })
  forEach('signed in, and signed out', async looks => {
    const made = await scene(world)
    const page = await tab(chrome, base, looks)
    await withSignIn(page, ['public'])
    await signedIn(page, session(made.customer))
    await page.route(`**/v1/customers/${made.customer.id}**`, async route => route.fulfill({ response: await route.fetch({ headers: { ...route.request().headers(), authorization: 'Bearer ' + made.customer.key } }) }))
    await page.route('**/v1/sessions/current', route => route.fulfill({ json: { sign_out_url: 'https://login.example/out' } }))
    await page.goto(`${base}/c/${made.customer.id}`)
    await heading(page, made.customer.name)
    await look(page, name('signed-in', looks))
    await page.locator('#out').click()
    await page.locator('#enter').waitFor()
    await look(page, name('signed-out', looks))
    assert.ok(!(await page.locator('body').textContent()).includes('Northwind'))
    page.clean()
    await page.done()
  })
  tests['signing out offline or without a reply keeps the page open'] = async () => {
    const made = await scene(world)
    const page = await tab(chrome, base, first)
    await withSignIn(page, ['public'])
    await signedIn(page, session(made.customer))
    await page.route(`**/v1/customers/${made.customer.id}**`, async route => route.fulfill({ response: await route.fetch({ headers: { ...route.request().headers(), authorization: 'Bearer ' + made.customer.key } }) }))
    await page.route('**/v1/sessions/current', route => route.abort())
    await page.goto(`${base}/c/${made.customer.id}`)
    await heading(page, made.customer.name)
    await page.locator('#out').click()
    await shows(page, 'We do not know whether this arrived')
    await look(page, 'customer-sign-out-unknown')
    await page.context().setOffline(true)
    await page.locator('#out').click()
    await shows(page, 'You are offline. Nothing was sent.')
    await page.context().setOffline(false)
    await heading(page, made.customer.name)
    assert.ok(!(await page.locator('body').textContent()).includes('You are signed out here'))
    page.clean()
    await page.done()
  }
  tests['the session ends in a dialog: after signing in the same dialog opens, and nothing was sent by itself'] = async () => {
    const made = await scene(world)
    const page = await tab(chrome, base, first)
    await withSignIn(page, ['public'])
    await signedIn(page, session(made.customer))
    let over = false
    await page.route(`**/v1/customers/${made.customer.id}**`, async route => over ? route.fulfill({ status: 401, json: { code: 'session_invalid' } }) : route.fulfill({ response: await route.fetch({ headers: { ...route.request().headers(), authorization: 'Bearer ' + made.customer.key } }) }))
    await page.goto(`${base}/c/${made.customer.id}`)
    await page.locator('[id^=less-grt]').click()
    await page.locator('#less-1').uncheck()
    over = true
    await page.locator('#do').click()
    await shows(page, 'Your sign-in has ended')
    await look(page, 'customer-ended')
    over = false
    await page.route('**/v1/sign-in', route => route.fulfill({ json: { authorize_url: `${base}/signed-in/public#code=c&state=s` } }))
    await page.route('**/v1/sessions', route => route.fulfill({ status: 201, json: { session: { tenant_id: made.customer.id, customer_name: 'Contoso' }, now: new Date().toISOString() } }))
    const patches = () => page.watched.requests.filter(request => request.method() === 'PATCH').length
    await page.locator('#note-go').click()
    await page.locator('dialog[open]').waitFor()
    assert.equal(patches(), 1)
    assert.ok(!await page.locator('#less-1').isChecked())
    await page.locator('#do').click()
    await page.locator('dialog').waitFor({ state: 'detached' })
    await page.locator('.note.good').waitFor()
    assert.equal(patches(), 2)
    const patch = page.watched.requests.filter(request => request.method() === 'PATCH')[1]
    assert.equal(patch.headers()['x-multipartner'], '1')
    page.clean()
    await page.done()
  }
  tests['another organization signed in meanwhile'] = async () => {
    const made = await scene(world)
    const page = await tab(chrome, base, first)
    await withSignIn(page, ['public'])
    await signedIn(page, session({ id: '11111111-1111-4111-8111-111111111111', name: 'Fabrikam' }))
    await page.goto(`${base}/c/${made.customer.id}`)
    await shows(page, 'You are now signed in for')
    await look(page, 'customer-other')
    page.clean()
    await page.done()
  }
  tests['refusals are said in words'] = async () => {
    const made = await scene(world)
    const page = await opened(first, made)
    await page.route('**/grants/*', route => route.fulfill({ status: 422, json: { code: 'grant_not_narrower' } }))
    await page.locator('[id^=less-grt]').click()
    await page.locator('#less-1').uncheck()
    await page.locator('#do').click()
    await shows(page, 'These roles have changed meanwhile')
    await look(page, 'customer-refused')
    page.clean()
    await page.done()
    // An operator may look at every customer's page.
    const operator = await opened(first, { customer: { ...made.customer, key: world.secrets[0] } })
    await operator.locator('#end-' + made.fabrikam.id).click()
    await operator.locator('#do').click()
    await shows(operator, 'This key can look, not act. Nothing was changed.')
    operator.clean()
    await operator.done()
  }
  tests['an unknown outcome counts once, and offline sends nothing'] = async () => {
    const made = await scene(world)
    const page = await opened(first, made)
    await page.context().setOffline(true)
    await page.locator('#end-' + made.fabrikam.id).click()
    await page.locator('#do').click()
    await shows(page, 'You are offline. Nothing was sent.')
    await page.context().setOffline(false)
    let lost = true
    await page.route('**/partners/' + made.fabrikam.id, async route => { if (!lost) return route.continue(); lost = false; await route.fetch(); await route.abort() })
    await page.locator('#do').click()
    await shows(page, 'We do not know whether this arrived')
    await look(page, 'customer-unknown')
    await page.locator('#do').click()
    await page.locator('dialog').waitFor({ state: 'detached' })
    await page.locator('.note.good').waitFor()
    page.clean()
    await page.done()
  }
  tests['leaving and coming back forgets key and data'] = async () => {
    const made = await scene(world)
    const page = await opened(first, made)
    await page.goto(base + '/docs')
    await page.goBack()
    await page.locator('#key').waitFor()
    assert.ok(!(await page.locator('body').textContent()).includes('Northwind'))
    await page.done()
  }
  tests['hostile names'] = async () => {
    const hostile = '<b>x</b> & \u05d0\u05d1'
    const customer = await world.customer('Contoso')
    const page = await tab(chrome, base, { ...first, width: 320 })
    await withSignIn(page, [])
    const made = await scene(world)
    await page.route(`**/v1/customers/${made.customer.id}/partners**`, async route => {
      const response = await route.fetch()
      const json = await response.json()
      for (const row of json.items) row.name = hostile + 'W'.repeat(80)
      await route.fulfill({ response, json })
    })
    await page.goto(`${base}/c/${made.customer.id}`)
    await page.locator('#key').fill(made.customer.key)
    await page.locator('form .go').click()
    await heading(page, 'Contoso')
    assert.equal(await page.evaluate(() => document.querySelectorAll('h3 b').length), 0)
    await look(page, 'customer-hostile-320')
    page.clean()
    assert.ok(customer)
    await page.done()
  }
  for (const [title, run] of Object.entries(tests)) if (!only || title.includes(only)) await timed('customer’s page: ' + title, run)
}
