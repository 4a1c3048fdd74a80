// What the evidence of a rollout says, in one sentence. The loss difference is candidate minus champion: less is better.
import type { Evidence } from '../../api/types'
import { metric, signed } from '../../format/number'

export interface Verdict {
  word: 'better' | 'not worse' | 'worse' | 'undecided' | 'no evidence'
  tone: 'ok' | 'bad' | 'idle'
  sentence: string
}

export function verdictOf(evidence: Evidence | null): Verdict {
  if (!evidence || evidence.estimate === null || evidence.low === null || evidence.high === null) {
    return { word: 'no evidence', tone: 'idle', sentence: 'No paired evidence yet.' }
  }
  const { estimate, low, high, margin } = evidence
  const level = Math.round((1 - evidence.alpha) * 1000) / 10
  const band = `${evidence.metric} ${signed(estimate)} (${level}% band ${signed(low)} to ${signed(high)})`
  if (high < 0) return { word: 'better', tone: 'ok', sentence: `Better: ${band}.` }
  if (margin !== null && high < margin) {
    return { word: 'not worse', tone: 'ok', sentence: `Not worse than the margin ${metric(margin)}: ${band}.` }
  }
  if (low > (margin ?? 0)) return { word: 'worse', tone: 'bad', sentence: `Worse: ${band}.` }
  return { word: 'undecided', tone: 'idle', sentence: `Undecided: ${band}.` }
}
