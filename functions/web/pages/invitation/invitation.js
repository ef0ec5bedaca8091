// The page of an invitation's link. The fragment has the link's token; it is taken out of the address at once.
import { $, keep, recall, start } from './page.js'
import { open } from './answer.js'

const id = location.pathname.split('/')[2]
let shown = null

// A link that was copied from a mail may have spaces and line breaks in it.
function takeToken() {
  const fragment = location.hash.slice(1).replace(/%20|%0[ad]|\s/gi, '')
  if (location.hash || location.search) history.replaceState(null, '', location.pathname)
  if (!fragment) return undefined
  keep(id, { ...recall(id), token: fragment })
  return fragment
}

function begin(token) {
  shown?.hide()
  shown = open($('main'), id, { token, restart: begin })
}

const token = takeToken()
addEventListener('hashchange', () => { const other = takeToken(); if (other) begin(other) })
// In memory the page keeps neither what it showed nor a button that waits.
addEventListener('pagehide', () => { shown?.hide(); if (shown) $('main').replaceChildren() })
addEventListener('pageshow', event => { if (event.persisted) shown?.returned() })
start('answer', () => begin(token), () => shown.redraw())
