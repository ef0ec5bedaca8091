// One invitation: what is asked, the answer, and what became of it. The page of a link and the customer's page use it.
import {
  $, DAY, announce, arrive, button, call, clock, date, days, field, h, iso, keep, keeps, list, moment, note, now, num, p, pair, plain,
  recall, region, say, show, time, why, words
} from './page.js'
import { me, signIn, signOut, watch } from './session.js'
import { approvers, level, roles, sentence, title } from './roles.js'

const CHECK = () => h('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' }, h('path', { d: 'M5 13l4.5 4.5L19 7' }))
const STATES = ['pending', 'accepted', 'declined', 'cancelled', 'expired']

// `way` is how the answer will be sent: {token} of a link, {tenant, session} or {tenant, key}. `leave` goes back to the
// customer's page. Returns what the page calls later.
export function open(at, id, way, leave) {
  // The first time the focus stays at the start of the page, before the link that skips to the answer.
  let first = !leave
  let preview, done, view = 'loading', session = null, alert = null, busy = '', bad = []
  // After signing out here: where to sign out of the sign-in page too, if it has an address for that.
  let out = null
  const saved = recall(id) ?? {}
  // What the person chose and wrote, in this tab until the invitation is answered.
  let draft = saved.draft ?? {}
  const token = way.token ?? saved.token
  const save = () => keep(id, { token, draft })

  const asked = () => preview.invitation.delegated_admin
  const names = () => ({ p: preview.partner.name, c: preview.customer?.name ?? words.your_organization })
  const tell = (key, more) => say(key, { ...names(), a: approvers(preview.sign_in?.approver_roles), ...more })
  const para = (key, kind, more) => h('p', { class: kind }, tell(key, more))
  const isDirect = () => Boolean(way.key || session)
  const isGrant = () => preview.invitation.kind === 'grant'
  const isActive = () => preview.partner.status === 'active'
  const chosen = () => draft.pick === 'less' ? draft.roles : draft.pick === 'as' ? asked()?.roles ?? [] : []
  const length = () => draft.pick === 'less' ? draft.days : asked() ? days(asked().duration) : 0
  const needsProof = pick => {
    const proof = preview.accept_proof
    const gives = asked() && (pick === 'as' || pick === 'less')
    return pick !== 'decline' && (proof.relationship !== 'link' || gives && proof.roles !== 'link')
  }
  const mustProve = pick => needsProof(pick) && !isDirect()
  const picks = () => isActive()
    ? asked() ? ['as', 'less', preview.requires_delegated_admin || isGrant() ? '' : 'sell', 'decline'].filter(Boolean) : ['as', 'decline']
    : ['decline']

  // Reading

  const base = () => isDirect() ? `/v1/customers/${way.tenant ?? session.tenant_id}/invitations/${id}` : `/v1/invitations/${id}`
  const read = () => isDirect() ? call('GET', base(), way) : call('POST', base() + '/preview', { body: { token } })

  async function load() {
    view = 'loading'
    draw()
    arrive(false)
    const slow = setTimeout(() => { view = 'slow'; draw(); announce(words.slow_x) }, 5e3)
    await fetchPreview()
    clearTimeout(slow)
    draw()
    arrive(!first)
    if (first) announce($('h').textContent)
    first = false
    if (way.session) watch(session, () => warn('soon'), end)
  }

  async function fetchPreview() {
    if (way.key) session = null
    else if (!token || way.tenant) way.session = session = await me()
    if (!token && !isDirect()) { view = 'paste'; return }
    let answer = await read()
    // By link: if its organization is signed in here, the answer counts as that person's.
    if (answer.ok && !isDirect() && answer.json.sign_in !== null) {
      const found = await me()
      if (found?.tenant_id === answer.json.invitation.customer_tenant_id) {
        session = found
        const better = await call('GET', base(), { session: true })
        if (better.ok) answer = better
        else session = null
      } else if (found && answer.json.invitation.state === 'pending') alert = { key: 'other', org: found.customer_name }
    }
    way.session = session
    if (!answer.ok) {
      view = answer.code === 'not_found' && !token ? 'paste' : { not_found: 'wrong', too_many: 'too_many', unknown: 'unreachable', offline: 'unreachable' }[answer.code] ?? 'wrong'
      alert = { ...answer }
      return
    }
    take(answer.json)
    await roles()
  }

  function take(json) {
    preview = json
    clock(json.now)
    const { state, kind, version } = json.invitation
    view = !STATES.includes(state) || !['reseller', 'grant'].includes(kind) ? 'newer' : state === 'pending' ? 'form' : state
    if (view !== 'form') {
      if (view !== 'newer') keep(id, null)
      return
    }
    if (draft.version && draft.version !== version) {
      draft = { name: draft.name, mail: draft.mail }
      alert = { key: 'changed' }
    }
    draft.version = version
    if (draft.pick && !picks().includes(draft.pick)) draft.pick = ''
    draft.roles ??= asked()?.roles
    draft.days ??= asked() ? days(asked().duration) : 0
    draft.extend ??= asked()?.auto_extend
    if (session) { draft.name ??= session.name; draft.mail ??= session.email }
    if (recall('sign-in')?.returned === id) {
      keep('sign-in', null)
      if (session && !alert) alert = { key: 'back' }
    }
    // Nothing is known of an answer that was being sent when the page was left.
    if (draft.sent) draft.unknown = true
    if (draft.sent && !alert) alert = { key: 'unknown' }
    save()
  }

  async function again(reason) {
    const answer = await read()
    if (answer.ok) take(answer.json)
    alert = reason
    draw()
    arrive()
  }

  function warn(key, more) {
    alert = { key, ...more }
    draw()
    announce(plain(key, { ...names(), o: alert.org ?? '', u: alert.origin ?? '' }))
    // The note is above the button that was pressed. A warning by the clock must not move what is being read.
    if (key !== 'soon') at.querySelector('.alert')?.scrollIntoView({ block: 'nearest' })
  }

  function end() {
    // The reply to what is being sent will tell.
    if (busy === 'sending') return
    // After an unknown outcome the end of the session proves nothing, and the answer stays as it was sent.
    if (!draft.unknown) draft.sent = null
    session = way.session = null
    busy = ''
    save()
    warn('ended')
  }

  // Sending

  function faults() {
    const { pick } = draft
    const accepts = pick && pick !== 'decline' && !mustProve(pick)
    return [
      !pick && ['pick-' + picks()[0], 'e_pick'],
      pick === 'less' && !draft.roles.length && ['role-0', 'e_roles'],
      accepts && !draft.name?.trim() && ['name', 'e_name'],
      accepts && !/^\S+@\S+\.\S+$/.test(draft.mail?.trim() ?? '') && ['mail', 'e_mail'],
      accepts && !isDirect() && !draft.admin && ['admin', 'e_admin']
    ].filter(Boolean)
  }

  function submit(event) {
    event.preventDefault()
    if (busy) return
    if (draft.sent) { send(); return }
    bad = faults()
    if (bad.length) {
      draw()
      document.title = plain('problem') + ': ' + $('h').textContent
      $('sum').focus()
    } else if (mustProve(draft.pick)) leaveToSignIn()
    else {
      draft.sent = body()
      send()
    }
  }

  function body() {
    const { pick } = draft
    const extra = pick === 'decline' ? draft.reason?.trim() ? { reason: draft.reason.trim() } : {} : {
      accepted_by: { name: draft.name.trim(), email: draft.mail.trim(), ...isDirect() ? {} : { role: 'global_admin' } },
      ...asked() ? { delegated_admin: { as: 'as_requested', sell: 'refused' }[pick] ?? {
        roles: draft.roles, duration: `P${draft.days}D`, ...asked().auto_extend && !draft.extend ? { auto_extend: false } : {}
      } } : {}
    }
    return { pick, direct: isDirect(), extra: isDirect() && pick !== 'decline' ? { version: preview.invitation.version, ...extra } : extra }
  }

  async function send() {
    busy = 'sending'
    save()
    draw()
    announce(words.sending)
    const { pick, direct, extra } = draft.sent
    const path = (isDirect() ? base() : `/v1/invitations/${id}`) + (pick === 'decline' ? '/decline' : '/accept')
    // Signing in after an unknown outcome changes who sends, so the answer is made again from the same choices.
    const own = direct === isDirect() ? extra : body().extra
    const answer = await call('POST', path, { ...way, body: isDirect() ? own : { token, ...own } })
    busy = ''
    announce('')
    if (answer.ok) {
      done = answer.json
      preview = { ...preview, invitation: answer.json.invitation }
      view = pick === 'decline' ? 'declined' : 'accepted'
      alert = null
      watch(null)
      keep(id, null)
      draw()
      arrive()
      return
    }
    refused(answer)
  }

  async function refused(answer) {
    const { code } = answer
    if (code === 'unknown') { draft.unknown = true; save(); warn('unknown'); arrive(false); $('go').focus(); return }
    if (code === 'session_invalid' || code === 'key_invalid' || code === 'token_missing') { end(); return }
    draft.sent = draft.unknown = null
    save()
    if (code === 'offline') return warn('offline')
    if (code === 'too_many') return warn('too_many', { wait: answer.wait })
    if (code === 'invitation_changed') { draft = { name: draft.name, mail: draft.mail }; return again({ key: 'changed' }) }
    if (code === 'invalid_transition') return again({ key: 'meanwhile' })
    if (code === 'invitation_expired') return again(null)
    if (code === 'accept_proof_required') return again({ key: 'proof' })
    if (code === 'partner_not_active') return again({ key: 'suspended' })
    if (code === 'not_found') { view = isDirect() ? 'loading' : 'wrong'; if (isDirect()) return load(); draw(); return arrive() }
    if (code === 'validation_failed' && answer.json.errors?.some(error => error.pointer.startsWith('/accepted_by/'))) {
      bad = answer.json.errors.map(({ pointer }) => pointer === '/accepted_by/email' ? ['mail', 'e_mail'] : ['name', 'e_name'])
      draw()
      return $('sum').focus()
    }
    warn('not_taken', { code, id: answer.id })
  }

  async function leaveToSignIn() {
    if (busy) return
    busy = 'leaving'
    save()
    draw()
    announce(words.leaving)
    const { customer_tenant_id } = preview.invitation
    const answer = await signIn({ tenant_id: customer_tenant_id, cloud: preview.partner.cloud, invitation_id: id })
    if (answer.code === 'leaving') return
    busy = ''
    const key = { nothing_kept: 'nothing_kept', wrong_address: 'wrong_address', sign_in_unavailable: 'no_sign_in', offline: 'offline', too_many: 'too_many', unknown: 'no_reply' }[answer.code] ?? 'not_taken'
    warn(key, answer)
  }

  async function leaveSession() {
    const answer = await signOut()
    if (!answer.ok) {
      // The session may have ended meanwhile. Then the page says so already.
      if (session) warn(answer.code === 'offline' ? 'offline' : 'out_unknown')
      return
    }
    out = { url: answer.json.sign_out_url }
    session = way.session = alert = null
    watch(null)
    await load()
  }

  // What is shown

  // Not by the address: its fragment is for the token.
  const toAnswer = event => { event.preventDefault(); $('answer').focus(); $('answer').scrollIntoView() }

  const ownPage = () => h('a', { href: '/c/' + preview.invitation.customer_tenant_id, onclick: leave && (event => { event.preventDefault(); leave() }) }, words.own_page)
  const signInButton = (key, more) => button('note-go', tell(key, more), leaveToSignIn, 'small')

  const signedOut = () => out && !session && note(words.signed_out, [p('signed_out_x'), out.url && h('a', { href: out.url }, words.sign_out_there)], 'good')

  function alerts() {
    const parts = [signedOut()]
    if (alert?.key) {
      const { key } = alert
      const extra = {
        soon: [p('choices_kept'), signInButton('sign_in_again')],
        ended: [p(draft.unknown ? 'ended_unknown' : token && !way.tenant ? 'ended_link' : 'ended_x'), !way.key && signInButton('sign_in_again')],
        other: [para('other_x', '', { o: alert.org }), signInButton('other_go', { o: alert.org })],
        wrong_address: [p('wrong_address_x'), h('a', { href: `${alert.origin}/i/${id}${token ? '#' + token : ''}` }, words.open_there)],
        too_many: [p('too_many_x', { t: num(alert.wait, 'second') })],
        not_taken: [why(alert)],
        proof: [p('proof_x'), preview.sign_in && mustProve(draft.pick) && signInButton('proof_go')],
        no_sign_in: [para('no_sign_in_x', '', { page: ownPage() })]
      }[key] ?? [para(key + '_x')]
      parts.push(note(tell(key, { o: alert.org, u: alert.origin }), extra, key === 'back' ? 'alert good' : 'alert'))
    }
    if (!isActive() && alert?.key !== 'suspended') parts.push(note(tell('suspended'), para('suspended_x')))
    if (!preview.sign_in && alert?.key !== 'no_sign_in' && draft.pick && mustProve(draft.pick))
      parts.push(note(tell('no_sign_in'), para(needsProof('sell') || !picks().includes('sell') ? 'no_sign_in_x' : 'no_sign_in_sell', '', { page: ownPage() })))
    if (preview.sign_in && !keeps() && picks().some(mustProve) && alert?.key !== 'nothing_kept') parts.push(note(words.nothing_kept, p('nothing_kept_x')))
    return parts
  }

  const error = id => bad.find(one => one[0] === id)?.[1]
  const described = (id, hint) => ({ 'aria-invalid': error(id) ? 'true' : null, 'aria-describedby': [error(id) && id + '-e', hint && id + '-h'].filter(Boolean).join(' ') || null })
  const input = (id, type, complete, hint) => field(id, words[id], h('input', {
    id, type, autocomplete: complete, maxlength: type === 'email' ? 254 : 100, value: draft[id], spellcheck: 'false', ...described(id, hint),
    disabled: Boolean(draft.sent), oninput: event => { draft[id] = event.target.value; save() }
  }), words[error(id)], hint)

  function option(pick) {
    const noRoles = pick === 'as' && !asked()
    const key = noRoles ? 'as_none' : pick
    const proof = pick === 'decline' || !needsProof(pick) ? isDirect() ? '' : 'no_proof' : isDirect() ? '' : preview.sign_in ? 'first_sign_in' : 'with_key'
    return [
      h('label', { class: 'opt' }, h('input', {
        type: 'radio', name: 'pick', id: 'pick-' + pick, value: pick, checked: draft.pick === pick, disabled: Boolean(draft.sent),
        'aria-invalid': error('pick-' + pick) ? 'true' : null,
        onchange: () => { draft.pick = pick; bad = []; if (!['soon', 'ended'].includes(alert?.key)) alert = null; save(); draw() }
      }), h('b', {}, words[key]), h('small', {}, tell(key + '_x', asked() && pick === 'as' ? { n: num(asked().roles.length, 'role'), t: num(days(asked().duration), 'day') } : {}),
        proof && [' ', h('span', {}, words[proof])])),
      draft.pick === pick && (pick === 'less' ? less() : pick === 'decline' && input_reason())
    ]
  }

  const input_reason = () => h('div', { class: 'more' }, field('reason', words.reason, h('textarea', {
    id: 'reason', rows: 3, maxlength: 1000, ...described('reason', true), disabled: Boolean(draft.sent), oninput: event => { draft.reason = event.target.value; save() }
  }, draft.reason ?? ''), null, tell('reason_x')))

  const until = () => tell(draft.extend ? 'until_extend' : 'until', { d: date(now() + draft.days * DAY), t: num(180, 'day') })

  function less() {
    const full = days(asked().duration)
    const change = () => { bad = []; save(); draw() }
    return h('div', { class: 'more' },
      h('fieldset', { 'aria-describedby': error('role-0') ? 'role-0-e' : null }, h('legend', {}, h('b', {}, words.which)),
        error('role-0') && h('span', { class: 'err', id: 'role-0-e' }, words.e_roles),
        asked().roles.map((role, at) => h('label', { class: 'tick' }, h('input', {
          type: 'checkbox', id: 'role-' + at, checked: draft.roles.includes(role), disabled: Boolean(draft.sent),
          onchange: event => { draft.roles = asked().roles.filter(one => one === role ? event.target.checked : draft.roles.includes(one)); change() }
        }), h('span', {}, iso(title(role)))))),
      field('time', words.time, h('select', { id: 'time', 'aria-describedby': 'time-h', disabled: Boolean(draft.sent), onchange: event => { draft.days = +event.target.value; change() } },
        [full, ...[365, 180, 90, 30, 7].filter(one => one < full)].map(one => h('option', { value: one, selected: one === draft.days }, num(one, 'day')))), null, until()),
      asked().auto_extend && h('label', { class: 'tick' }, h('input', {
        type: 'checkbox', id: 'extend', checked: draft.extend, disabled: Boolean(draft.sent), onchange: event => { draft.extend = event.target.checked; change() }
      }), h('span', {}, tell('extend', { t: num(180, 'day') }))))
  }

  function label() {
    const { pick } = draft
    if (busy) return words[busy]
    if (draft.sent) return words.send_again
    if (!pick) return words.send
    if (pick === 'decline') return words.decline
    const n = chosen().length
    const values = { n: num(n, 'role'), t: num(length(), 'day') }
    const proving = mustProve(pick) && preview.sign_in
    return n ? say(proving ? 'sign_in_with' : 'accept_with', values) : words[proving ? 'sign_in_sell' : pick === 'sell' ? 'sell' : 'as_none']
  }

  // What follows the chosen answer.
  function person() {
    const { pick } = draft
    if (!pick) return null
    if (mustProve(pick)) return preview.sign_in && [para('leaving_x', 'hint', { h: h('b', {}, iso(preview.sign_in.host)) }), para('who_x', 'hint')]
    const signed = session && h('p', { class: 'who' }, h('span', {}, tell(session.name ? 'signed_for_as' : 'signed_for', { n: session.name ?? '', t: time(session.expires_at) })), ' ', button('out', words.sign_out, leaveSession, 'link'))
    if (pick === 'decline') return signed
    return [signed, input('name', 'text', 'name'), input('mail', 'email', 'email', session?.name ? words.filled : null),
      !isDirect() && h('label', { class: 'tick' }, h('input', {
        type: 'checkbox', id: 'admin', checked: draft.admin, ...described('admin'), disabled: Boolean(draft.sent), onchange: event => { draft.admin = event.target.checked; save() }
      }), h('span', {}, error('admin') && h('span', { class: 'err', id: 'admin-e' }, words.e_admin), tell('admin', { a: words.global_admin }))),
      para('sees', 'hint'), !isDirect() && p('own_statement', {}, 'hint')]
  }

  function care() {
    if (isDirect()) return null
    const free = picks().filter(pick => pick !== 'decline' && !needsProof(pick))
    const key = free.length ? free[0] === 'sell' ? 'care_sell' : 'care_accept' : preview.sign_in ? 'care' : 'care_key'
    return h('p', { class: 'hint care' }, say(key), ' ', words.care_both)
  }

  function form() {
    const blocked = draft.pick && mustProve(draft.pick) && !preview.sign_in
    return h('form', { class: 'card', novalidate: true, onsubmit: submit },
      bad.length > 0 && h('div', { class: 'note bad', id: 'sum', tabindex: '-1' }, h('h2', {}, words.problem), list('errs', bad.map(([id, key]) =>
        h('a', { href: '#' + id, onclick: event => { event.preventDefault(); $(id).focus() } }, words[key])))),
      alerts(),
      h('fieldset', { 'aria-describedby': bad[0]?.[1] === 'e_pick' ? 'pick-e' : null }, h('legend', {}, h('h2', { id: 'answer', tabindex: '-1' }, words.your_answer)),
        bad[0]?.[1] === 'e_pick' && h('span', { class: 'err', id: 'pick-e' }, words.e_pick), picks().map(option)),
      preview.requires_delegated_admin && !isGrant() && isActive() && p('gov', {}, 'hint'),
      person(),
      blocked ? h('a', { class: 'go', id: 'go', href: '/c/' + preview.invitation.customer_tenant_id }, words.go_own_page)
        : h('button', { class: 'go', id: 'go', 'aria-disabled': busy ? 'true' : null }, label()),
      care())
  }

  function ask() {
    const admin = asked()
    const full = admin?.roles.some(role => level(role) === 'full')
    const t = admin && num(days(admin.duration), 'day')
    return list('asks', [
      !isGrant() && [h('h3', {}, words.to_sell), p('to_sell_x')],
      admin && [h('h3', {}, say('to_run', { t })),
        admin.auto_extend ? p('to_run_extend', { t: num(180, 'day') }) : p('to_run_x', { d: date(now() + days(admin.duration) * DAY) }),
        full && h('p', { class: 'note' }, words.full_x),
        list('roles', admin.roles.map(role => [h('span', { class: 'name' }, iso(title(role))),
          level(role) && h('span', { class: 'lvl ' + level(role) }, words[level(role)]), h('p', {}, sentence(role))]))]
    ])
  }

  function page() {
    const { invitation, partner, sign_in } = preview
    return h('div', { class: 'cols' }, h('div', {}, pair(partner.name, names().c, 'dash'),
      para('invitation_for', 'eyebrow'), h('h1', { id: 'h', tabindex: '-1' }, tell(isGrant() ? 'asks_grant' : 'asks')),
      para('lead', 'lead'),
      list('meta', [partner.domain && iso(partner.domain), words[partner.cloud] ?? iso(partner.cloud), region(partner.market), say('open_until', { d: date(invitation.expires_at) })]),
      h('p', { class: 'jump' }, h('a', { href: '#answer', onclick: toAnswer }, words.skip)),
      invitation.message && h('figure', { class: 'quote' }, h('blockquote', {}, iso(invitation.message)), h('figcaption', {}, tell('message_from'))),
      h('section', {}, h('h2', {}, words.ask), ask()),
      h('section', {}, h('h2', {}, words.stays), p('stays_x', {}, 'hint'), list('stay', words.stays_all.map(one => [CHECK(), one])),
        para(sign_in ? 'others' : 'others_key'))),
    h('div', { class: 'side', role: 'region', 'aria-labelledby': 'answer' }, form()))
  }

  function record() {
    const answer = preview?.invitation.answer
    if (!answer) return null
    const by = done && draft.sent?.extra.accepted_by || answer.accepted_by
    const proof = answer.proof ?? (done && (way.key ? 'key' : session ? 'sign_in' : 'link'))
    const granted = answer.delegated_admin
    const ends = done?.grant?.ends_at ?? (granted && Date.parse(answer.decided_at) + days(granted.duration) * DAY)
    const byLink = proof === 'link'
    const rows = [['answered', moment(answer.decided_at)]]
    if (view === 'accepted') rows.push(
      (by || isDirect()) && ['by', by ? [iso(by.name), ', ', iso(by.email), byLink && [' (', words.themselves, ')']] : words.erased],
      words['by_' + proof] && ['how', words['by_' + proof]],
      ['given', granted ? granted.roles.map((role, at) => [at > 0 && h('br', {}), iso(title(role))]) : words.none],
      granted && ['ends', granted.auto_extend ? say('ends_extend', { d: date(ends), t: num(180, 'day') }) : date(ends)])
    return h('dl', { class: 'rec' }, rows.filter(Boolean).map(([key, value]) => h('div', {}, h('dt', {}, words[key]), h('dd', {}, value))))
  }

  function closed() {
    const { invitation } = preview ?? {}
    const at = invitation?.answer?.decided_at ?? invitation?.expires_at
    const values = preview && { ...names(), d: at && date(at), page: ownPage() }
    const ended = invitation?.answer?.reason === 'relationship_ended' && view === 'cancelled'
    const key = view === 'accepted' ? done ? isGrant() ? 'accepted_grant' : 'accepted_now' : 'accepted' : view === 'declined' && done ? 'declined_now' : ended ? 'closed' : view
    // The link may be right, but the service refused it for another reason.
    const own = view === 'wrong' ? words['code ' + alert?.code] : null
    const heading = key === 'accepted_grant' ? 'accepted_now' : key
    const next = {
      wrong: ['copy_whole', 'ask_current'], expired: ['ask_new'], cancelled: ['nothing_to_do'], accepted_now: ['take_back', 'keep_link', 'print'],
      accepted_grant: ['take_back', 'keep_link', 'print'], declined: ['ask_again'], declined_now: ['ask_again']
    }[key] ?? []
    const line = view === 'accepted' ? 'solid' : view === 'loading' || view === 'slow' ? 'dash' : ''
    return h('div', { class: 'one' },
      signedOut(),
      alert?.key === 'meanwhile' && note(words.meanwhile, p('meanwhile_x'), 'alert'),
      preview && pair(preview.partner.name, names().c, line),
      h('h1', { id: 'h', tabindex: '-1' }, say(heading, values)), h('p', { class: 'lead' }, own ?? say(key + '_x', { ...values, t: num(alert?.wait ?? 30, 'second') })),
      ['loading', 'slow'].includes(view) && h('div', { class: 'wait' }, h('i', {})),
      view === 'paste' && paste(),
      record(),
      !own && next.length > 0 && list('next', next.filter(one => one !== 'keep_link' || token).map(one => say(one, values))),
      ['unreachable', 'too_many'].includes(view) && button('go', words.again, load, 'go'),
      view === 'newer' && button('go', words.reload, () => location.reload(), 'go'))
  }

  function paste() {
    const wrong = error('link')
    return h('form', { novalidate: true, onsubmit: usePasted }, field('link', words.link, h('input', {
      id: 'link', type: 'text', autocomplete: 'off', spellcheck: 'false', inputmode: 'url', ...described('link'), value: draft.link, oninput: event => { draft.link = event.target.value }
    }), wrong && words.e_link), h('button', { class: 'go', id: 'go' }, words.open))
  }

  // A link that was copied from a mail may have spaces and line breaks in it.
  function usePasted(event) {
    event.preventDefault()
    const text = (draft.link ?? '').replace(/\s|%20|%0a|%0d/gi, '')
    const [, other, found] = /(?:\/i\/(inv_[a-z0-9]+))?#?([\w-]{20,})$/.exec(text) ?? []
    if (!found) {
      bad = [['link', 'e_link']]
      draw()
      $('link').focus()
    } else if (other && other !== id) {
      keep(other, { token: found })
      location.assign('/i/' + other + (keeps() ? '' : '#' + found))
    } else {
      way.restart(found)
    }
  }

  function draw() {
    Object.assign($('skip'), { hidden: view !== 'form', textContent: words.skip, onclick: toAnswer })
    if (leave) show(at, h('p', { class: 'back' }, button('leave', words.back_to_page, leave, 'link')), view === 'form' ? page() : closed())
    else show(at, view === 'form' ? page() : closed())
  }

  load()
  return {
    redraw: async () => { await roles(); draw() },
    // The page is shown again, perhaps from memory.
    returned: () => { busy = ''; return load() },
    // What was shown is dropped. The person's choices are kept.
    hide: () => {
      if (view === 'form') save()
      watch(null)
      view = 'loading'
      preview = done = undefined
    }
  }
}
