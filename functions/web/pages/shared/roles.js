// Directory roles in words. English words and levels come from the policy, French words from a file.
import { call, iso, language, words } from './page.js'

let policy = null
let french = null

export async function roles() {
  if (!policy) {
    const answer = await call('GET', '/v1/policy')
    if (answer.ok) policy = answer.json
  }
  if (language === 'fr') french ??= await fetch('/assets/roles.fr.json').then(answer => answer.json()).catch(() => null)
  return policy ?? {}
}

const known = name => policy?.roles?.grant?.find(role => role.name === name)
const spaced = name => String(name)[0]?.toUpperCase() + String(name).slice(1).replaceAll('_', ' ')
export const title = name => (language === 'fr' && french?.[name]?.[0]) || known(name)?.title || spaced(name)
export const sentence = name => (language === 'fr' && french?.[name]?.[1]) || known(name)?.description || (policy ? words.not_described : '')
export const level = name => known(name)?.level
// The roles that may answer, by their template ids, as in: only a global administrator.
const APPROVERS = { '62e90394-69f5-4237-9190-012177145e10': 'global_admin', 'fc8ad4e2-40e4-4724-8317-bcda7503ecbf': 'relationship_admin' }
const approver = id => {
  const role = policy?.roles?.grant?.find(role => role.template_id === id)
  return words[APPROVERS[id]] ?? (role ? title(role.name) : id)
}
export const approvers = ids => ids?.length ? new Intl.ListFormat(language, { type: 'disjunction' }).format(ids.map(approver)) : words.global_admin
export const titles = names => names.map((name, at) => [at ? ', ' : '', iso(title(name))])
