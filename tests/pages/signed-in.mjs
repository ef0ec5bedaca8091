// Back from the sign-in page. Where the run has sign-in, its development provider is used; each refusal is a reply of the contract.
import assert from 'node:assert/strict'
import { LOOKS, heading, look, tab, timed } from './lib.mjs'
import { signedIn } from './invitation.mjs'

const STATES = {
  'not-finished': { fragment: '#error=access_denied&error_description=<b>x</b>&state=s', en: 'You were not signed in', fr: 'Vous n’avez pas été connecté' },
  'start-again': { code: ['sign_in_expired', 401], en: 'This sign-in cannot be finished here', fr: 'Cette connexion ne peut pas se terminer ici' },
  failed: { code: ['sign_in_failed', 401], en: 'We could not check your sign-in', fr: 'Nous n’avons pas pu vérifier votre connexion' },
  silent: { code: ['provider_unavailable', 503], en: 'The sign-in page’s service does not answer', fr: 'Le service de la page de connexion ne répond pas' },
  'no-role': { code: ['not_an_approver', 403], en: 'Your account may not answer for this organization', fr: 'Votre compte ne peut pas répondre pour cette organisation' },
  guest: { code: ['approver_not_home', 403], en: 'A guest cannot answer for this organization', fr: 'Un invité ne peut pas répondre pour cette organisation' },
  'not-known': { code: ['customer_unknown', 422], en: 'Your organization is not known here', fr: 'Votre organisation n’est pas connue ici' },
  'not-set-up': { code: ['sign_in_unavailable', 409], en: 'Signing in is not set up here', fr: 'La connexion n’est pas configurée ici' }
}

export async function signedInPage({ chrome, base, world, only }) {
  const tests = {}
  for (const [state, { code, fragment = '#code=the-code&state=the-state', ...words }] of Object.entries(STATES)) tests[state] = async () => {
    for (const looks of LOOKS) {
      const page = await tab(chrome, base, looks)
      await signedIn(page)
      let posts = 0
      await page.route('**/v1/sessions', route => { posts++; route.fulfill({ status: code[1], headers: { 'x-request-id': 'req-7' }, json: { code: code[0] } }) })
      await page.addInitScript(() => sessionStorage.setItem('sign-in', JSON.stringify({ body: { tenant_id: 't', cloud: 'public' }, back: '/c/6f9619ff-8b86-4011-b42d-00cf4fc964ff' })))
      await page.goto(`${base}/signed-in/public${fragment}`)
      await heading(page, words[looks.language])
      assert.equal(new URL(page.url()).hash, '', 'the code is out of the address')
      assert.equal(posts, code ? 1 : 0, 'with an error nothing is posted')
      assert.ok(!(await page.locator('body').textContent()).includes('access_denied'))
      assert.equal(await page.evaluate(() => document.querySelectorAll('main b').length), 0)
      await look(page, `signed-in-${state}-${looks.width}-${looks.scheme}-${looks.language}`)
      page.clean()
      await page.done()
    }
  }
  tests['the page that was left takes this one’s place in the history'] = async () => {
    const page = await tab(chrome, base)
    const { id } = await world.customer()
    await signedIn(page)
    await page.route('**/v1/sessions', route => {
      assert.equal(route.request().headers()['x-multipartner'], '1')
      assert.deepEqual(route.request().postDataJSON(), { cloud: 'public', code: 'c', state: 's' })
      route.fulfill({ status: 201, json: { session: { tenant_id: id }, now: new Date().toISOString() } })
    })
    await page.goto('about:blank')
    await page.goto(`${base}/signed-in/public?code=c&state=s`)
    await page.waitForURL(`${base}/c/${id}`)
    await page.goBack()
    assert.equal(page.url(), 'about:blank')
    await page.done()
  }
  tests['the real sign-in'] = async () => {
    const policy = await world.call('GET', '/v1/policy')
    if (!policy.clouds.public.sign_in) {
      console.log('skipped: sign-in through the development provider: `sign_in` is null in this run’s policy')
      return
    }
    await realSignIn({ chrome, base, world })
  }
  for (const [title, run] of Object.entries(tests)) if (!only || title.includes(only)) await timed('signed-in page: ' + title, run)
}

// From the link to a narrowed acceptance that is signed in, and to taking it back; and everybody whom the service must not let in.
async function realSignIn({ chrome, base, world }) {
  const customer = await world.customer()
  const sent = await world.invite(await world.partner(), customer, { roles: ['license_administrator', 'user_administrator'], duration: 'P365D' })
  const page = await tab(chrome, base)
  const choose = async (person, consent = 'accept') => {
    await page.locator(`button[name=person][value=${person}]`).click()
    await page.locator(`button[name=consent][value=${consent}]`).click({ timeout: 5000 }).catch(() => {})
  }
  await page.goto(sent.link)
  await page.locator('#pick-less').check()
  await page.locator('#role-1').uncheck()
  await page.locator('#go').click()
  await choose('global_administrator', 'cancel')
  await heading(page, 'You were not signed in')
  for (const [person, text] of [['user_administrator', STATES['no-role'].en], ['guest_administrator', STATES.guest.en], ['partner_employee', STATES.guest.en]]) {
    await page.locator('#again').click()
    await choose(person)
    await heading(page, text)
    await look(page, 'real-sign-in-' + person)
  }
  await page.locator('a.second').click()
  await page.locator('#pick-less:checked').waitFor()
  assert.ok(!await page.locator('#role-1').isChecked(), 'the choice is kept')
  await page.locator('#go').click()
  await choose('global_administrator')
  await page.getByText('Check your answer, then press the button. Nothing has been sent.').waitFor()
  assert.ok(await page.locator('#pick-less').isChecked() && !await page.locator('#role-1').isChecked())
  const answers = () => page.watched.requests.filter(request => request.url().endsWith('/accept')).length
  assert.equal(answers(), 0)
  await look(page, 'real-sign-in-back')
  for (const cookie of await page.context().cookies()) {
    assert.ok(cookie.httpOnly && cookie.sameSite === 'Strict', cookie.name)
    // WebKit keeps no Secure cookie over plain http on loopback, so the local run has other names.
    assert.ok(base.startsWith('https:') || !cookie.secure && !cookie.name.startsWith('__'), cookie.name)
  }
  await page.locator('#go').click()
  await page.locator('.rec').waitFor()
  assert.equal(answers(), 1)
  assert.match(await page.locator('.rec').textContent(), /signed in/)
  await look(page, 'real-sign-in-accepted')
  await page.goto(`${base}/c/${customer.id}`)
  await heading(page, customer.name)
  await look(page, 'real-sign-in-customer')
  await page.locator('[id^=take-grt]').click()
  await page.locator('#do').click()
  await page.locator('.note.good').waitFor()
  await look(page, 'real-sign-in-taken-back')
  await page.locator('#out').click()
  await page.locator('#enter').waitFor()
  await look(page, 'real-sign-in-signed-out')
  await page.goBack()
  await page.waitForTimeout(300)
  assert.ok(!(await page.locator('#main').textContent()).includes('Northwind'), 'Back shows nothing of a session that ended')
  assert.deepEqual(page.watched.errors, [])
  for (const request of page.watched.requests) {
    assert.ok(!request.url().split('#')[0].includes(sent.token))
    if (request.url().startsWith(base)) assert.ok(!/[?&]code=/.test(request.url()), 'the code is in no address that is sent')
  }
  await page.done()
}
