// Inviting a customer, or changing what an open invitation asks for; and the link that comes of it.
import { $, DAY, announce, arrive, bare, button, date, days, field, h, iso, list, now, num, p, plain, say, show, time, why, words } from './page.js'
import { level, sentence, title, titles } from './roles.js'

// Codes with words of their own. Every other code is shown with the number of the request.
export const refusals = {
  customer_unknown: 1, customer_is_csp_tenant: 1, cloud_mismatch: 1, market_mismatch: 1, invitation_pending: 1, relationship_active: 1, rate_limited: 1,
  delegated_admin_required: 1, partner_not_active: 1, role_not_permitted: 1
}

export function form({ at, partner, policy, invitation, name, send, setKey, done, leave, showOpen }) {
  const { limits, clouds } = policy
  const all = policy.roles.grant
  const asked = invitation?.delegated_admin
  const mustAsk = clouds[partner.cloud]?.delegated_admin === 'required' || invitation?.kind === 'grant'
  const choice = {
    tenant: '', ask: mustAsk || Boolean(asked), roles: asked?.roles ?? [], days: asked ? days(asked.duration) : Math.min(365, limits.grant_days_max),
    extend: asked?.auto_extend ?? false, message: invitation?.message ?? '', reference: '', open: limits.invitation_days_default, find: ''
  }
  let bad = []
  let alert = null
  let busy = false
  let locked = null
  let once = crypto.randomUUID()

  const error = id => bad.find(one => one[0] === id)?.[1]
  const input = (id, type, more = {}, hint) => field(id, words[id], h('input', {
    id, type, value: choice[id], autocomplete: 'off', spellcheck: 'false', disabled: Boolean(locked), 'aria-invalid': error(id) ? 'true' : null,
    'aria-describedby': [error(id) && id + '-e', hint && id + '-h'].filter(Boolean).join(' ') || null, ...more,
    oninput: event => { choice[id] = event.target.value; if (more.redraw && !event.isComposing) draw() },
    oncompositionend: () => { if (more.redraw) draw() }
  }), words[error(id)], hint)

  const delegated = () => choice.ask ? { roles: choice.roles, duration: `P${+choice.days}D`, auto_extend: choice.extend } : null

  function faults() {
    const within = (value, most) => /^\d+$/.test(value) && +value >= 1 && +value <= most
    return [
      !invitation && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(choice.tenant.trim()) && ['tenant', 'e_tenant'],
      choice.ask && !choice.roles.length && ['find', 'e_roles'],
      choice.ask && !within(choice.days, limits.grant_days_max) && ['days', 'e_days'],
      !within(choice.open, limits.invitation_days_max) && ['open', 'e_open']
    ].filter(Boolean)
  }

  async function submit(event) {
    event.preventDefault()
    if (busy) return
    if ($('again-key')?.value.trim()) setKey($('again-key').value.trim())
    bad = locked ? [] : faults()
    if (bad.length) {
      draw()
      return $('sum').focus()
    }
    const body = locked ?? {
      ...invitation ? {} : { customer_tenant_id: choice.tenant.trim() }, delegated_admin: delegated(), expires_in_days: +choice.open,
      ...choice.message.trim() ? { message: choice.message.trim() } : invitation ? { message: null } : {}, ...choice.reference.trim() && !invitation ? { external_reference: choice.reference.trim() } : {}
    }
    busy = true
    draw()
    announce(words.sending)
    const answer = await send(invitation ? `/invitations/${invitation.invitation_id}/renew` : '/invitations', body, invitation ? null : once)
    busy = false
    announce('')
    if (answer.ok) return done(answer.json, body)
    // Sent again unchanged, under the same idempotency key, it counts once.
    locked = answer.code === 'unknown' || answer.code === 'key_invalid' && locked ? body : null
    if (!locked && answer.code !== 'offline' && answer.code !== 'too_many' && answer.code !== 'key_invalid') once = crypto.randomUUID()
    alert = answer
    draw()
    $('alert')?.focus()
  }

  function alerts() {
    if (!alert) return null
    const { code, json } = alert
    const at = (text, more) => h('div', { class: 'note', id: 'alert', tabindex: '-1' }, h('h2', {}, text), more)
    if (code === 'key_invalid') return at(words.key_gone, [p('key_gone_x'), field('again-key', words.key, h('input', { id: 'again-key', type: 'password', autocomplete: 'current-password', spellcheck: 'false' }))])
    if (code === 'unknown') return at(words.box_unknown)
    if (code === 'offline') return at(words.box_offline)
    if (code === 'too_many') return at(words.too_many)
    const midnight = time(Math.ceil(now() / DAY) * DAY)
    const found = json.invitation_id ?? /inv_[a-z0-9]+/.exec(json.detail ?? '')?.[0]
    if (refusals[code]) return at(say('no ' + code, { t: midnight }), code === 'invitation_pending' && found && button('show', words.show_it, () => showOpen(found), 'small'))
    if (code === 'validation_failed') return at(words.problem, list('errs', (json.errors ?? []).map(error => [iso(error.pointer), ': ', iso(error.detail)])))
    return at(words.not_made, why(alert))
  }

  function picker() {
    const wanted = choice.find.trim().toLowerCase()
    const shown = all.filter(role => choice.roles.includes(role.name) || !wanted || (title(role.name) + ' ' + sentence(role.name)).toLowerCase().includes(wanted))
    return h('div', { class: 'more' },
      input('find', 'search', { redraw: true, 'aria-controls': 'roles' }, [say(choice.roles.length ? 'chosen' : 'find_x', { n: num(choice.roles.length, 'role') }), ' ', titles(choice.roles)]),
      h('fieldset', { id: 'roles', class: 'picker', tabindex: '0', 'aria-label': words.roles }, shown.map(role => h('label', { class: 'tick' }, h('input', {
        type: 'checkbox', id: 'r-' + role.name, checked: choice.roles.includes(role.name), disabled: Boolean(locked), onchange: event => {
          choice.roles = all.map(one => one.name).filter(one => one === role.name ? event.target.checked : choice.roles.includes(one))
          if (choice.roles.includes('global_administrator')) choice.extend = false
          bad = bad.filter(([id]) => id !== 'find')
          const { scrollTop } = $('roles')
          draw()
          $('roles').scrollTop = scrollTop
        }
      }), h('span', {}, h('b', {}, iso(title(role.name))), ' ', h('span', { class: 'lvl ' + level(role.name) }, words[level(role.name)]), h('span', { class: 'hint block' }, sentence(role.name)))))),
      choice.roles.some(role => level(role) === 'full') && h('p', { class: 'note' }, say('full_x', { g: title(choice.roles.find(role => level(role) === 'full')) })),
      input('days', 'number', { min: 1, max: limits.grant_days_max, inputmode: 'numeric', redraw: true }, say('days_x', { m: num(limits.grant_days_max, 'day') })),
      !choice.roles.includes('global_administrator') && h('label', { class: 'tick' }, h('input', { type: 'checkbox', id: 'extend', checked: choice.extend, disabled: Boolean(locked), onchange: event => { choice.extend = event.target.checked; draw() } }),
        h('span', {}, say('extend', { t: num(limits.grant_extension_days, 'day') }))))
  }

  // What the customer will see, in short.
  // Typing changes only this part of the page: a new field would end the composition of a character, and the undo history.
  const quote = () => h('blockquote', { id: 'seen-message', hidden: !choice.message }, iso(choice.message))

  function preview() {
    const t = num(+choice.days || 0, 'day')
    return h('details', { id: 'seen' }, h('summary', {}, words.preview),
      h('p', {}, h('b', {}, say(invitation?.kind === 'grant' ? 'asks_grant' : 'asks', { p: partner.name }))),
      quote(),
      invitation?.kind !== 'grant' && p('to_sell'), choice.ask && [p('to_run', { t }), list('next', choice.roles.map(role => [iso(title(role)), ' – ', words[level(role)]]))])
  }

  function draw() {
    show(at, h('form', { class: 'one', novalidate: true, onsubmit: submit },
      h('p', {}, button('leave', words.back, leave, 'link')),
      h('h1', { id: 'h', tabindex: '-1' }, words[invitation ? 'change_ask' : 'invite']),
      invitation && h('p', { class: 'hint' }, name ? iso(name) : '', name ? ' · ' : '', say('directory', { i: invitation.customer_tenant_id })),
      bad.length > 0 && h('div', { class: 'note bad', id: 'sum', tabindex: '-1' }, h('h2', {}, words.problem), list('errs', bad.map(([id, key]) =>
        h('a', { href: '#' + id, onclick: event => { event.preventDefault(); $(id).focus() } }, words[key])))),
      alerts(), invitation && p('change_x', {}, 'lead'),
      !invitation && input('tenant', 'text', { inputmode: 'text' }, words.tenant_x),
      h('label', { class: 'tick ask' }, h('input', { type: 'checkbox', id: 'ask', checked: choice.ask, disabled: mustAsk || Boolean(locked), onchange: event => { choice.ask = event.target.checked; bad = []; draw() } }), h('span', {}, h('b', {}, words.ask), mustAsk && h('span', { class: 'hint block' }, words.must_ask))),
      choice.ask && picker(),
      field('message', words.message_label, h('textarea', { id: 'message', rows: 4, maxlength: limits.message_characters, disabled: Boolean(locked), 'aria-describedby': 'message-h', oninput: event => { choice.message = event.target.value; $('seen-message').replaceWith(quote()) } }, choice.message), null, words.message_x),
      !invitation && input('reference', 'text', { maxlength: limits.external_reference_characters }, words.reference_x),
      input('open', 'number', { min: 1, max: limits.invitation_days_max, inputmode: 'numeric' }, say('open_x', { m: num(limits.invitation_days_max, 'day') })),
      preview(),
      h('p', { class: 'hint' }, words.full_hint),
      h('button', { class: 'go', id: 'go', 'aria-disabled': busy ? 'true' : null }, words[busy ? 'sending' : locked ? 'go_again' : invitation ? 'make_change' : 'make'])))
  }
  draw()
  arrive()
  return { draw }
}

// The link is shown once; the service does not show it again.
export function made({ accept_url, invitation }, { partner, policy, leave }) {
  const proof = policy.clouds?.[partner.cloud]?.accept_proof ?? {}
  const signs = Boolean(policy.clouds?.[partner.cloud]?.sign_in)
  const free = invitation.kind !== 'grant' && proof.relationship === 'link'
  const text = plain('mail', { p: bare(partner.name), l: accept_url, d: date(invitation.expires_at), s: invitation.delegated_admin && signs ? words.mail_sign_in + ' ' : '' })
  const copy = async (what, id) => {
    try { await navigator.clipboard.writeText(what) } catch { $('link').select(); return announce(words.copy_by_hand) }
    announce(words.copied)
    $(id).textContent = words.copied
  }
  return h('div', { class: 'one' }, h('h1', { id: 'h', tabindex: '-1' }, words.made), p('made_x', {}, 'lead'),
    field('link', words.link, h('input', { id: 'link', type: 'text', readonly: true, value: accept_url, onfocus: event => event.target.select() })),
    h('p', { class: 'row' }, button('copy', words.copy_link, () => copy(accept_url, 'copy'), 'go'), button('copy-text', words.copy_message, () => copy(text, 'copy-text'), 'go second')),
    h('details', { open: true }, h('summary', {}, words.message_for), h('blockquote', {}, iso(text))),
    h('p', { class: 'hint' }, words[free ? invitation.delegated_admin ? 'holder_sell' : 'holder_accept' : 'holder'], ' ', invitation.delegated_admin ? words[signs ? 'giving' : 'giving_key'] : ''),
    h('p', { class: 'row' }, button('leave', words.back, leave, 'link')))
}
