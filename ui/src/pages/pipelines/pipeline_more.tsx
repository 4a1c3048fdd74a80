// What a pipeline is and why it ran or did not: its file, its triggers, their decisions.
import { useQuery } from '@tanstack/react-query'
import { decisionsQuery } from '../../api/queries'
import type { Decision, Pipeline } from '../../api/types'
import { shortId } from '../../format/id'
import { Ago, At, Card, Chip, Empty } from '../../parts/basics'
import { DataTable, type Columns } from '../../parts/data_table'
import { eventHref, runHref, subjectHref } from '../../parts/links'
import { Loaded } from '../../parts/loaded'
import { Status } from '../../parts/status'

const kShown = 40

function columnsOf(pipeline: string): Columns<Decision> {
  return [
    { id: 'outcome', header: 'Decision', cell: ({ row }) => <Status state={row.original.outcome} /> },
    { id: 'source', header: 'Trigger', cell: ({ row: { original: one } }) => {
      const position = /^event:(\d+)$/.exec(one.source)?.[1]
      return position ? <a href={eventHref(Number(position))}>{one.type} #{position}</a> : one.type } },
    { id: 'subject', header: 'Subject', cell: ({ row: { original: one } }) => { const href = subjectHref(one.subject); return href ? <a href={href}>{one.subject}</a> : one.subject || '\u2013' } },
    { id: 'as_of', header: 'As of', cell: ({ row }) => <At time={row.original.as_of} /> },
    { id: 'reason', header: 'Why', meta: { wide: true }, cell: ({ row: { original: one } }) => (one.run_id ? <a href={runHref(pipeline, one.run_id)}>run {shortId(one.run_id)}</a> : one.reason) },
    { id: 'decided', header: 'Decided', cell: ({ row }) => <Ago time={row.original.decided_at} /> },
  ]
}

/** "drift.detected of endpoint/flights, at most every 7d"; "every 4w of endpoint/flights". */
export function triggerLines(pipeline: Pipeline): string[] {
  const on = pipeline.spec?.on
  return [
    ...(on?.events ?? []).map((one) => `${one.type}${typeof one.match?.subject === 'string' ? ` of ${one.match.subject}` : ''}${one.cooldown && one.cooldown !== '0s' ? `, at most every ${one.cooldown}` : ''}`),
    ...(on?.schedule ?? []).map((one) => `every ${one.every}${one.time === 'event' ? ` in the time of ${one.subject}` : ''}`),
  ]
}

export function PipelineMore({ pipeline }: { pipeline: Pipeline }) {
  const decisions = useQuery(decisionsQuery(pipeline.name))
  const triggers = triggerLines(pipeline)
  return (
    <>
      <Card title="Triggers" aside={triggers.length > 0 ? triggers.map((line) => <Chip key={line}>{line}</Chip>) : <span className="muted">a person only</span>} flush>
        <Loaded query={decisions} what="decisions of triggers">
          {(list) => <DataTable label="Decisions of triggers" rows={list.slice(0, kShown)} columns={columnsOf(pipeline.name)} rowKey={(row) => row.source} empty={<Empty title="No trigger has fired yet" icon="pipeline" />} />}
        </Loaded>
      </Card>
      {pipeline.text && <Card title="Definition" aside={pipeline.updated_at && <span className="muted">changed <Ago time={pipeline.updated_at} /></span>}><pre className="json" tabIndex={0} aria-label="The pipeline's file">{pipeline.text}</pre></Card>}
    </>
  )
}
