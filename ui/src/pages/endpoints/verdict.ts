// What the evidence of a rollout says, in one sentence. The loss difference is candidate minus champion: less is better.
import type { Evidence } from '../../api/types'
import { metric, signed } from '../../format/number'

export interface Verdict {
  word: 'better' | 'not worse' | 'worse' | 'undecided' | 'no evidence'
  tone: 'ok' | 'bad' | 'idle'
  sentence: string
}

/** The server decides (its verdict is pass, fail or insufficient); this only finds the word for it. */
export function verdictOf(evidence: Evidence | null | undefined): Verdict {
  if (evidence?.estimate == null) {
    return { word: 'no evidence', tone: 'idle', sentence: evidence?.reason ? `No evidence yet: ${evidence.reason}` : 'No evidence yet.' }
  }
  const { estimate, low, high, margin } = evidence
  const band = low != null && high != null ? ` (${signed(low)} to ${signed(high)})` : ''
  const found = `${evidence.metric ?? 'difference'} ${signed(estimate)}${band}`
  if (evidence.verdict === 'fail') return { word: 'worse', tone: 'bad', sentence: `Worse: ${found}.` }
  if (evidence.verdict === 'pass' && high != null && high < 0) return { word: 'better', tone: 'ok', sentence: `Better: ${found}.` }
  if (evidence.verdict === 'pass') {
    return { word: 'not worse', tone: 'ok', sentence: `Not worse${margin != null ? ` than the margin ${metric(margin)}` : ''}: ${found}.` }
  }
  return { word: 'undecided', tone: 'idle', sentence: `Undecided: ${found}.` }
}
