// The partner's page, on the real run.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { LOOKS, heading, look, shows, tab, tenant, timed } from './lib.mjs'

const ROLES = { roles: ['license_administrator', 'user_administrator'], duration: 'P365D' }
const PERSON = { name: 'Ada Lopez', email: 'ada@contoso.example' }
const name = (state, { width, language, scheme }) => `partner-${state}-${width}-${scheme}-${language}`

async function scene(world) {
  const partner = await world.partner()
  const [contoso, adatum, litware] = await Promise.all(['Contoso', 'Adatum', 'Litware'].map(name => world.customer(name)))
  const sent = await world.invite(partner, contoso, ROLES, { external_reference: 'Contoso move' })
  await world.call('POST', `/v1/customers/${contoso.id}/invitations/${sent.id}/accept`, { key: contoso.key, body: { version: 1, accepted_by: PERSON, delegated_admin: { roles: ['user_administrator'], duration: 'P12D' } } })
  const declined = await world.invite(partner, adatum)
  await world.call('POST', `/v1/invitations/${declined.id}/decline`, { body: { token: declined.token, reason: 'Not <b>now</b>.' } })
  const open = await world.invite(partner, litware, ROLES, { message: 'Hello' })
  return { partner, contoso, adatum, litware, open }
}

export async function partner({ chrome, base, world, only }) {
  const tests = {}
  const forEach = (title, run) => { tests[title] = async () => { for (const looks of LOOKS) await run(looks) } }
  const first = { width: 1280, language: 'en', scheme: 'light' }

  async function opened(looks, made, key = made.partner.key) {
    const page = await tab(chrome, base, looks)
    await page.goto(`${base}/p/${made.partner.id}`)
    await page.locator('#key').fill(key)
    await page.locator('#open').click()
    await heading(page, made.partner.name)
    return page
  }
  const finish = async (page, key) => {
    const stored = await page.evaluate(() => JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage }) + document.documentElement.outerHTML + location.href)
    assert.ok(!stored.includes(key), 'the key is in memory only')
    for (const request of page.watched.requests) assert.ok(!request.url().includes(key) && request.headers().cookie === undefined)
    page.clean()
    await page.done()
  }

  forEach('closed, and a wrong key', async looks => {
    const made = await world.partner()
    const page = await tab(chrome, base, looks)
    await page.goto(`${base}/p/${made.id}`)
    await page.locator('#key').waitFor()
    await look(page, name('closed', looks))
    await page.locator('#key').fill((await world.customer()).key)
    await page.locator('#open').click()
    await page.locator('.note').waitFor()
    await look(page, name('wrong-key', looks))
    page.clean()
    await page.done()
  })
  forEach('open: invitations, customers and messages; a new link, withdraw, give back, end', async looks => {
    const made = await scene(world)
    const { partner } = made
    const endpoint = await endpointThatFails(world, partner)
    const page = await opened(looks, made)
    assert.match(await page.locator('#ending').textContent(), /Contoso.*12/, 'roles that end within 30 days')
    await look(page, name('open', looks))
    await page.locator('[id^=resend-]').first().waitFor()
    assert.equal(await page.locator('main b').filter({ hasText: /^now$/ }).count(), 0)
    await page.locator('[id^=resend-]').first().click()
    await page.locator('.note.good').waitFor()
    await page.locator('#renew-' + made.open.id).click()
    await look(page, name('dialog-renew', looks))
    await page.locator('#do').click()
    await page.locator('#link').waitFor()
    const link = await page.locator('#link').inputValue()
    assert.ok(link.startsWith(`${base}/i/${made.open.id}#`) && link !== made.open.link)
    await look(page, name('made', looks))
    await page.locator('#leave').click()
    await page.locator('#withdraw-' + made.open.id).click()
    await look(page, name('dialog-withdraw', looks))
    await page.locator('#do').click()
    await page.locator('dialog').waitFor({ state: 'detached' })
    await page.locator('.note.good').waitFor()
    await page.locator('[id^=give-grt]').click()
    await look(page, name('dialog-give', looks))
    await page.locator('#do').click()
    await page.locator('dialog').waitFor({ state: 'detached' })
    await page.locator('.note.good').waitFor()
    await page.locator('#end-' + made.contoso.id).click()
    await page.locator('#do').click()
    await page.locator('dialog').waitFor({ state: 'detached' })
    await page.locator('.note.good').waitFor()
    const row = await world.call('GET', `/v1/partners/${partner.id}/customers/${made.contoso.id}`, { key: partner.key })
    assert.equal(row.relationship.state, 'ended')
    await finish(page, partner.key)
    endpoint.close()
  })
  forEach('invite: errors, roles, preview, the link', async looks => {
    const made = { partner: await world.partner(), customer: await world.customer() }
    const page = await opened(looks, made)
    await look(page, name('empty', looks))
    await page.locator('#invite').click()
    await page.locator('#ask').check()
    await page.locator('#go').click()
    assert.equal(await page.evaluate(() => document.activeElement.id), 'sum')
    await look(page, name('invite-errors', looks))
    await page.locator('#tenant').fill(made.customer.id)
    await page.locator('#find').fill('licen')
    await page.locator('#r-license_administrator').check()
    await page.locator('#find').fill('')
    await page.locator('#r-global_administrator').check()
    await page.locator('#message').fill('Hello Ada')
    await page.locator('details summary').click()
    // Characters that are composed of several keys, as in Japanese or with a dead key.
    const keyboard = await page.context().newCDPSession(page)
    for (const id of ['message', 'find']) {
      await page.locator('#' + id).fill('')
      for (const text of ['に', '日', '日本']) await keyboard.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
      await keyboard.send('Input.insertText', { text: '日本' })
      assert.equal(await page.locator('#' + id).inputValue(), '日本', id)
    }
    assert.equal(await page.locator('#seen-message').textContent(), '日本', 'the preview follows the message')
    await page.locator('#find').fill('')
    await page.locator('#message').fill('Hello Ada')
    await look(page, name('invite', looks))
    await page.locator('#r-global_administrator').uncheck()
    await page.locator('#go').dblclick()
    await page.locator('#link').waitFor()
    const { items } = await world.call('GET', `/v1/partners/${made.partner.id}/invitations`, { key: made.partner.key })
    assert.equal(items.length, 1, 'a double click makes one invitation')
    assert.deepEqual(items[0].delegated_admin, { roles: ['license_administrator'], duration: 'P365D', auto_extend: false })
    await finish(page, made.partner.key)
  })
  tests['refusals are said in words'] = async () => {
    const made = await scene(world)
    const page = await opened(first, made)
    const attempt = async id => { await page.locator('#tenant').fill(id); await page.locator('#go').click() }
    await page.locator('#invite').click()
    await attempt(tenant())
    await shows(page, 'No customer with this directory id is registered here.')
    await look(page, 'partner-refused')
    const own = await world.call('GET', '/v1/partners/' + made.partner.id, { key: made.partner.key })
    await attempt(own.partner.tenant_id)
    await shows(page, 'This is your own directory id.')
    await attempt(made.contoso.id)
    await shows(page, 'They are your customer already. You can ask for roles.')
    await attempt(made.litware.id)
    await shows(page, 'An invitation to this customer is open already.')
    await page.route('**/invitations', async route => route.request().method() === 'POST' ? route.fulfill({ status: 429, headers: { 'retry-after': '3600' }, json: { code: 'rate_limited' } }) : route.continue())
    await attempt(made.adatum.id)
    await shows(page, 'for today. Try again after')
    await finish(page, made.partner.key)
  }
  tests['the key is revoked in the middle: what was entered stays'] = async () => {
    const made = { partner: await world.partner(), customer: await world.customer() }
    const page = await opened(first, made)
    await page.locator('#invite').click()
    await page.locator('#tenant').fill(made.customer.id)
    let revoked = true
    await page.route('**/invitations', route => revoked && route.request().method() === 'POST' ? route.fulfill({ status: 401, json: { code: 'key_invalid' } }) : route.continue())
    await page.locator('#go').click()
    await shows(page, 'This key does not work any more')
    await look(page, 'partner-key-gone')
    revoked = false
    const other = await made.partner.keyWith(['sales_agent'])
    await page.locator('#again-key').fill(other)
    await page.locator('#go').click()
    await page.locator('#link').waitFor()
    await finish(page, other)
  }
  tests['an unknown outcome is sent again unchanged, and counts once'] = async () => {
    const made = { partner: await world.partner(), customer: await world.customer() }
    const page = await opened(first, made)
    await page.locator('#invite').click()
    await page.locator('#tenant').fill(made.customer.id)
    let lost = true
    await page.route('**/invitations', async route => { if (!lost || route.request().method() !== 'POST') return route.continue(); lost = false; await route.fetch(); await route.abort() })
    await page.locator('#go').click()
    await shows(page, 'We do not know whether this arrived')
    assert.ok(await page.locator('#tenant').isDisabled())
    await page.locator('#go').click()
    await page.locator('#link').waitFor()
    const { items } = await world.call('GET', `/v1/partners/${made.partner.id}/invitations`, { key: made.partner.key })
    assert.equal(items.length, 1)
    await finish(page, made.partner.key)
  }
  tests['change what is asked'] = async () => {
    const made = await scene(world)
    const page = await opened(first, made)
    await page.locator('#change-' + made.open.id).click()
    await page.locator('#r-user_administrator').uncheck()
    await look(page, 'partner-change')
    await page.locator('#go').click()
    await page.locator('#link').waitFor()
    const { invitation } = await world.call('GET', `/v1/partners/${made.partner.id}/invitations/${made.open.id}`, { key: made.partner.key })
    assert.deepEqual([invitation.delegated_admin.roles, invitation.version, invitation.message], [['license_administrator'], 2, 'Hello'])
    await finish(page, made.partner.key)
  }
  tests['a key that may only look is not offered what it may not do'] = async () => {
    const made = await scene(world)
    const key = await made.partner.keyWith(['helpdesk_agent'])
    const page = await opened(first, made, key)
    await shows(page, 'This key can look, not act')
    assert.equal(await page.locator('#invite, .small').count(), 0)
    await look(page, 'partner-look-only')
    await finish(page, key)
  }
  tests['a suspended partner'] = async () => {
    const made = await scene(world)
    const page = await tab(chrome, base, first)
    await page.route('**/v1/partners/' + made.partner.id, async route => {
      const response = await route.fetch()
      const json = await response.json()
      json.partner.status = 'suspended'
      await route.fulfill({ response, json })
    })
    await page.goto(`${base}/p/${made.partner.id}`)
    await page.locator('#key').fill(made.partner.key)
    await page.locator('#open').click()
    await shows(page, 'Your organization is paused here')
    assert.equal(await page.locator('#invite').count(), 0)
    await look(page, 'partner-suspended')
    await finish(page, made.partner.key)
  }
  for (const [title, run] of Object.entries(tests)) if (!only || title.includes(only)) await timed('partner’s page: ' + title, run)
}

// An endpoint that answers its check and then fails, so that there is something to send again.
async function endpointThatFails(world, partner) {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', data => { body += data })
    request.on('end', () => {
      const message = JSON.parse(body)
      response.writeHead(message.type === 'endpoint.challenge' ? 200 : 500)
      response.end()
    })
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const { endpoint } = await world.call('POST', `/v1/partners/${partner.id}/endpoints`, { key: partner.key, body: { url: `http://127.0.0.1:${server.address().port}/hooks` } })
  const deliveries = `/v1/partners/${partner.id}/endpoints/${endpoint.endpoint_id}/deliveries`
  for (let attempt = 0; attempt < 50; attempt++) {
    const { items } = await world.call('GET', deliveries, { key: partner.key })
    if (items.some(one => one.purpose === 'event' && one.last_status === 500)) return server
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  throw new Error('no message failed')
}
