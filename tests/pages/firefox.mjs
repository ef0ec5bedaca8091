// Firefox, once: a page and an answer, without errors and without violations of the page's policy. Usage: node firefox.mjs PROGRAM
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { PICTURES, packages, serve, world } from './lib.mjs'

const { default: puppeteer } = await import(pathToFileURL(packages.resolve('puppeteer-core')))
const run = await serve(process.argv[2], 0)
const browser = await puppeteer.launch({ browser: 'firefox', executablePath: process.env.FIREFOX, headless: true })
try {
  const there = world(run.base, run.operator)
  const customer = await there.customer()
  const sent = await there.invite(await there.partner(), customer, { roles: ['license_administrator'], duration: 'P365D' })
  const page = await browser.newPage()
  const errors = []
  page.on('pageerror', error => errors.push(String(error)))
  page.on('console', message => { if (message.type() === 'error' && !/40[0-9]|503/.test(message.text())) errors.push(message.text()) })
  await page.evaluateOnNewDocument(() => addEventListener('securitypolicyviolation', event => console.error('CSP', event.violatedDirective, event.blockedURI)))
  const click = async selector => (await page.waitForSelector(selector)).click()
  await page.goto(sent.link)
  await click('#pick-decline')
  assert.equal(await page.evaluate(() => location.hash), '')
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: `${PICTURES}/firefox-decline.png`, fullPage: true })
  await click('#go')
  await page.waitForSelector('.rec')
  await page.goto(`${run.base}/c/${customer.id}`)
  await page.waitForSelector('#key, #enter')
  if (await page.$('#enter')) await click('summary')
  await (await page.waitForSelector('#key')).type(customer.key)
  await page.keyboard.press('Enter')
  await page.waitForSelector('.line')
  await page.screenshot({ path: `${PICTURES}/firefox-customer.png`, fullPage: true })
  assert.deepEqual(errors, [])
  console.log(`ok  ${await browser.version()}: an invitation declined, the customer's page opened`)
} finally {
  await browser.close()
  run.stop()
}
