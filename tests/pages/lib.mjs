// What the tests of the pages share: a local run, browsers, and the checks that hold for every page in every state.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

// `.ci/pages` installs the packages there.
export const packages = createRequire(resolve('target/ci/pages/package.json'))
const { chromium } = packages('playwright-core')
const AXE = readFileSync(packages.resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
export const PICTURES = process.env.PICTURES ?? 'target/pages'
const ALL = [320, 1280].flatMap(width => ['en', 'fr'].flatMap(language => ['light', 'dark'].map(scheme => ({ width, language, scheme }))))
// Two looks that have both sizes, languages and color schemes. LOOKS=1 takes the first of them, LOOKS=8 every combination.
export const LOOKS = process.env.LOOKS === '8' ? ALL : [ALL[0], ALL[7]].slice(0, +(process.env.LOOKS ?? 2))
export const failed = []

// Runs one test. The others go on after a failure, so that one run shows all.
export async function timed(title, run) {
  const began = Date.now()
  try {
    await run()
    console.log(`ok  ${title} (${Date.now() - began} ms)`)
  } catch (error) {
    failed.push(title)
    console.log(`FAILED  ${title}: ${error.stack ?? error}`)
  }
}
export const figures = { states: 0, axe: 0, violations: 0, rules: new Set() }

// The local run, with an operator key of its own and without samples.
export async function serve(program, port) {
  const key = 'mpk_' + Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
  const child = spawn(program, ['serve', '--port', String(port), '--no-samples', '--allow-loopback-endpoints'], { env: { ...process.env, MULTIPARTNER_OPERATOR_KEY: key }, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  child.stdout.on('data', data => { printed += data })
  child.stderr.on('data', data => { printed += data })
  const base = await new Promise((resolve, reject) => {
    child.stdout.on('data', () => { const found = /running at (http:\S+)/.exec(printed); if (found) resolve(found[1]) })
    child.on('exit', code => reject(new Error(`the local run ended with ${code}: ${printed}`)))
  })
  return { base, operator: key, stop: () => child.kill(), printed: () => printed }
}

// The API, for what a test needs before a page is opened.
export function api(base) {
  let counter = 0
  const call = async (method, path, { key, body } = {}) => {
    const headers = { ...body && { 'content-type': 'application/json' }, ...key && { authorization: 'Bearer ' + key } }
    if (method === 'POST') headers['idempotency-key'] = `pages-${process.pid}-${counter++}`
    const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) })
    const json = await response.json().catch(() => ({}))
    assert.ok(response.ok, `${method} ${path} → ${response.status} ${JSON.stringify(json)}`)
    return json
  }
  return call
}

export const tenant = () => crypto.randomUUID()

// Customers and partners of the local run.
export function world(base, operator) {
  const call = api(base)
  const secrets = [operator]
  const keyOf = async (kind, id, roles) => {
    const { key } = await call('POST', '/v1/keys', { key: operator, body: { principal: { kind, id }, roles, name: 'pages' } })
    secrets.push(key)
    return key
  }
  return {
    call,
    // Every key and token of this run, which no log may have.
    secrets,
    async customer(name = 'Contoso', cloud = 'public') {
      const id = tenant()
      await call('POST', '/v1/customers', { key: operator, body: { tenant_id: id, name, cloud, market: 'US' } })
      return { id, name, key: await keyOf('customer', id, ['global_admin']) }
    },
    async partner(name = 'Northwind Traders', cloud = 'public', roles = ['sales_agent']) {
      const { partner } = await call('POST', '/v1/partners', { key: operator, body: { tenant_id: tenant(), name, domain: 'northwind.example', cloud, market: 'US' } })
      const id = partner.partner_id
      return { id, name, key: await keyOf('partner', id, roles), keyWith: more => keyOf('partner', id, more) }
    },
    async invite(partner, customer, asked = null, more = {}) {
      const body = { customer_tenant_id: customer.id, delegated_admin: asked, ...more }
      const { invitation, accept_url } = await call('POST', `/v1/partners/${partner.id}/invitations`, { key: partner.key, body })
      const [path, token] = new URL(accept_url).href.replace(base, '').split('#')
      secrets.push(token)
      return { id: invitation.invitation_id, path, token, link: accept_url }
    }
  }
}

export const browser = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']
})

// A page with everything watched that must not happen: console errors, CSP violations, other origins, the token in an address.
export async function tab(chrome, base, { width = 1280, language = 'en', scheme = 'light', ...options } = {}) {
  const context = await chrome.newContext({ viewport: { width, height: width < 500 ? 720 : 900 }, locale: language === 'fr' ? 'fr-FR' : 'en-US', colorScheme: scheme, timezoneId: 'UTC', ...options })
  const page = await context.newPage()
  const watched = { errors: [], requests: [], failed: [] }
  page.on('console', message => {
    // The browser's own line about a response ≥400 is no fault of the page.
    if (['error', 'warning'].includes(message.type()) && !/^Failed to load resource/.test(message.text())) watched.errors.push(message.text())
  })
  page.on('pageerror', error => watched.errors.push(error.stack))
  page.on('request', request => watched.requests.push(request))
  await page.exposeBinding('reportViolation', (_, text) => watched.errors.push('CSP: ' + text))
  await page.addInitScript(() => addEventListener('securitypolicyviolation', event => globalThis.reportViolation(event.violatedDirective + ' ' + event.blockedURI)))
  if (process.env.PAGES_FROM_DISK) await fromDisk(context, base)
  return Object.assign(page, {
    watched, done: () => context.close(),
    // Nothing that must not happen has happened.
    clean(token) {
      assert.deepEqual(watched.errors, [])
      for (const request of watched.requests) {
        assert.ok(request.url().startsWith(base) || /^(data|blob):/.test(request.url()) || request.isNavigationRequest(), 'another origin: ' + request.url())
        if (token) {
          assert.ok(!request.url().split('#')[0].includes(token), 'the token is in an address: ' + request.url())
          for (const [name, value] of Object.entries(request.headers())) assert.ok(!value.includes(token), 'the token is in header ' + name)
        }
      }
    }
  })
}

// For work on the pages: files come from disk instead of the program.
async function fromDisk(context, base) {
  const folder = 'functions/web/pages/'
  const PAGES = { i: 'invitation', c: 'customer', p: 'partner', 'signed-in': 'signed-in' }
  const FOLDERS = ['shared', 'invitation', 'signed-in', 'customer', 'partner']
  const TYPES = { js: 'text/javascript', css: 'text/css', json: 'application/json', svg: 'image/svg+xml' }
  const headers = { 'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'", 'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin' }
  const read = (...names) => { for (const name of names) try { return readFileSync(name, 'utf8') } catch {} }
  await context.route(base + '/assets/*', route => {
    const name = new URL(route.request().url()).pathname.split('/')[2]
    route.fulfill({ contentType: TYPES[name.split('.').pop()], body: read(...FOLDERS.map(one => folder + one + '/' + name)) })
  })
  await context.route(url => url.href.startsWith(base) && /^\/(i|c|p|signed-in)\//.test(url.pathname), route => {
    const name = PAGES[new URL(route.request().url()).pathname.split('/')[1]]
    route.fulfill({ contentType: 'text/html; charset=utf-8', headers, body: read(`${folder}${name}/${name}.html`) })
  })
}

// Checks what is shown: axe, no sideways scrolling, a title, and takes a picture.
export async function look(page, name, { picture = true, axe = true } = {}) {
  figures.states++
  if (axe) {
    // Evaluated by the debugger, so the page's policy does not apply.
    await page.evaluate(AXE)
    const result = await page.evaluate(tags => globalThis.axe.run(document, { runOnly: tags, resultTypes: ['violations', 'incomplete'] }), TAGS)
    figures.axe++
    result.passes?.forEach(rule => figures.rules.add(rule.id))
    figures.violations += result.violations.length
    assert.deepEqual(result.violations.map(one => `${one.id}: ${one.nodes.map(node => node.target + ' ' + node.failureSummary).join(' | ')}`), [], name)
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 0, `${name} scrolls sideways by ${wide} px`)
  assert.ok((await page.title()).length > 3)
  assert.equal(await page.evaluate(() => document.querySelectorAll('h1').length), 1, `${name} has one h1`)
  if (picture) {
    mkdirSync(PICTURES, { recursive: true })
    await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true })
  }
}

export const heading = (page, text) => page.locator('h1').filter({ hasText: text }).waitFor({ timeout: 15000 })
export const shows = (page, text) => page.getByText(text, { exact: false }).first().waitFor({ timeout: 15000 })
