// Who answered how much, over the time of the endpoint, by model version.
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { trafficQuery } from '../../api/queries'
import type { Endpoint, Traffic, Variant } from '../../api/types'
import { LineChart } from '../../charts/line_chart'
import type { Curve } from '../../charts/align'
import { metric, percent, short, tick } from '../../format/number'
import { Card, Empty, Segments } from '../../parts/basics'
import { Loaded } from '../../parts/loaded'
import { byVersion, colorOfRef } from '../../parts/traffic_bar'
import { usePromotions } from './promotions'

export type Bucket = '1h' | '1d' | '7d'
type Field = 'predictions' | 'mean_output'

export function trafficCurves(traffic: Traffic, variants: Variant[], field: Field): Curve[] {
  return [...traffic.series].sort((a, b) => byVersion(a.variant, b.variant)).map(({ variant, points }) => ({
    label: variant,
    color: colorOfRef(variant, variants),
    x: points.map((point) => Date.parse(point.time) / 1000),
    y: points.map((point) => (field === 'mean_output' && point.predictions === 0 ? null : point[field])),
  }))
}

function Charts({ traffic, endpoint, share }: { traffic: Traffic; endpoint: Endpoint; share: boolean }) {
  const variants = JSON.stringify(endpoint.variants)
  const [volume, output] = useMemo(() => {
    const now = JSON.parse(variants) as Variant[]
    return [trafficCurves(traffic, now, 'predictions'), trafficCurves(traffic, now, 'mean_output')]
  }, [traffic, variants])
  const marks = usePromotions(endpoint.name)
  return (
    <div className="two">
      <Card title={share ? 'Share of traffic by version' : 'Predictions by version'}>
        <LineChart curves={volume} xIs="time" title="Predictions by version" format={short} axisFormat={share ? (value) => percent(value) : undefined}
          syncKey="traffic" include={share ? [0, 1] : [0]} stacked={share ? 'share' : 'sum'} marks={marks} />
      </Card>
      <Card title="Mean output"><LineChart curves={output} xIs="time" title="Mean output" format={(value) => metric(value, 3)} axisFormat={tick} syncKey="traffic" marks={marks} /></Card>
    </div>
  )
}

interface TrafficView {
  bucket: Bucket
  share: boolean
}

export function TrafficPanel({ endpoint, view, onView }: { endpoint: Endpoint; view: TrafficView; onView: (next: Partial<TrafficView>) => void }) {
  const traffic = useQuery(trafficQuery(endpoint.name, view.bucket))
  return (
    <>
      <div className="section-head">
        <h2>Traffic over time</h2>
        <div className="page-actions">
          <Segments label="Height" value={view.share ? 'share' : 'count'} items={['count', 'share']} onChange={(next) => onView({ share: next === 'share' })} />
          <Segments label="Bucket" value={view.bucket} items={['1h', '1d', '7d']} onChange={(bucket) => onView({ bucket })} />
        </div>
      </div>
      <Loaded query={traffic} what="traffic over time">
        {(data) => data.series.some((one) => one.points.length > 0)
          ? <Charts traffic={data} endpoint={endpoint} share={view.share} />
          : <Card><Empty title="No prediction yet" icon="endpoint">The first request shows up here.</Empty></Card>}
      </Loaded>
    </>
  )
}
