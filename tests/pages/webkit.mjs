// WebKit, once: what Safari does with this service's cookies, a sign-in at the development provider and back, and an answer.
// Usage: node webkit.mjs PROGRAM      WEBKIT is the browser. It needs WebKitWebDriver and Xvfb.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { PICTURES, serve, world } from './lib.mjs'

const children = []
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'

// A display without a screen. It chooses its own number and prints it.
const screen = () => new Promise((resolve, reject) => {
  const child = spawn('Xvfb', ['-displayfd', '3', '-nolisten', 'tcp', '-screen', '0', '1280x1024x24'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  children.push(child)
  child.on('error', reject)
  child.on('exit', code => reject(new Error(`Xvfb ended with ${code}`)))
  child.stdio[3].once('data', data => resolve(':' + String(data).trim()))
})

const free = () => new Promise(resolve => {
  const server = http.createServer().listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => resolve(port)) })
})

// The WebDriver protocol, as far as this test needs it.
async function driver() {
  const display = await screen()
  const port = await free()
  const env = { ...process.env, DISPLAY: display, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' }
  children.push(spawn('WebKitWebDriver', ['--port=' + port], { env, stdio: 'ignore' }))
  const send = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(120_000) })
    const { value } = await response.json()
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`)
    return value
  }
  await until('the driver', () => send('GET', '/status'))
  const browserOptions = { binary: process.env.WEBKIT, args: ['--automation'] }
  const { sessionId, capabilities } = await send('POST', '/session', { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': browserOptions } } })
  const at = path => `/session/${sessionId}${path}`
  const find = async selector => (await send('POST', at('/element'), { using: 'css selector', value: selector }))[ELEMENT]
  const self = {
    version: capabilities.browserVersion,
    open: url => send('POST', at('/url'), { url }),
    run: script => send('POST', at('/execute/sync'), { script, args: [] }),
    has: selector => until(selector, () => find(selector)),
    text: async selector => self.run(`return document.querySelector(${JSON.stringify(selector)})?.textContent ?? ''`),
    click: async selector => send('POST', at(`/element/${await self.has(selector)}/click`), {}),
    cookies: () => send('GET', at('/cookie')),
    picture: async name => writeFileSync(`${PICTURES}/webkit-${name}.png`, await send('GET', at('/screenshot')), 'base64'),
    end: () => send('DELETE', at(''))
  }
  return self
}

async function until(what, attempt) {
  const end = Date.now() + 60_000
  for (;;) {
    try { return await attempt() } catch (error) { if (Date.now() > end) throw new Error(`waited for ${what}: ${error.message}`) }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

// Which of these cookies the browser returns over plain http on loopback.
async function kept(browser, host) {
  const names = ['plain', '__Host-secure', 'secure']
  const server = http.createServer((request, response) => {
    const set = request.url === '/set' ? { 'set-cookie': names.map(name => `${name}=1; Path=/; HttpOnly; SameSite=Strict${name === 'plain' ? '' : '; Secure'}`) } : {}
    response.writeHead(200, { 'content-type': 'text/plain', ...set }).end(request.headers.cookie ?? 'none')
  })
  const port = await new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
  await browser.open(`http://${host}:${port}/set`)
  await browser.open(`http://${host}:${port}/`)
  const sent = await browser.text('body')
  server.close()
  server.closeAllConnections()
  return names.filter(name => sent.includes(name + '='))
}

const run = await serve(process.argv[2], 0)
let browser
try {
  mkdirSync(PICTURES, { recursive: true })
  const there = world(run.base, run.operator)
  const customer = await there.customer()
  const sent = await there.invite(await there.partner(), customer, { roles: ['license_administrator', 'user_administrator'], duration: 'P365D' })
  browser = await driver().catch(error => {
    console.log(`skipped: pages in WebKit: it does not start on this machine: ${error.message}`)
  })
  if (browser) await visit(there, customer, sent)
} catch (error) {
  console.log(await browser?.text('main').catch(() => ''))
  throw error
} finally {
  await browser?.end().catch(() => {})
  children.forEach(child => child.kill())
  run.stop()
}

async function visit(there, customer, sent) {
  for (const host of ['127.0.0.1', 'localhost']) assert.deepEqual(await kept(browser, host), ['plain'], `cookies that WebKit returns to http://${host}`)

  await browser.open(sent.link)
  await browser.click('#pick-less')
  await browser.click('#role-1')
  assert.equal(await browser.run('return location.hash'), '')
  await browser.picture('invitation')
  await browser.click('#go')
  await browser.click('button[name=person][value=global_administrator]')
  await browser.click('button[name=consent][value=accept]')
  await browser.has('#mail')
  assert.equal(await browser.run("return document.querySelector('#pick-less').checked"), true, 'the choice is kept')
  const cookies = (await browser.cookies()).filter(cookie => /session/.test(cookie.name))
  assert.equal(cookies.length, 1)
  assert.ok(cookies[0].httpOnly && cookies[0].sameSite === 'Strict' && !cookies[0].secure, JSON.stringify({ ...cookies[0], value: '' }))
  await browser.click('#go')
  await browser.has('.rec')
  assert.match(await browser.text('.rec'), /signed in/)
  await browser.picture('accepted')
  const { items } = await there.call('GET', `/v1/customers/${customer.id}/grants`, { key: customer.key })
  assert.deepEqual(items.map(grant => grant.roles), [['license_administrator']])
  await browser.open(`${run.base}/c/${customer.id}`)
  await browser.has('.line')
  await browser.picture('customer')
  console.log(`ok  WebKit ${browser.version}: signed in, accepted with one of two roles, the customer's page opened`)
}
