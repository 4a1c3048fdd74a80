import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { trafficQuery } from '../../api/queries'
import type { Endpoint, Traffic } from '../../api/types'
import { LineChart } from '../../charts/line_chart'
import type { Curve } from '../../charts/align'
import { metric, short } from '../../format/number'
import { Card, Empty, Segments } from '../../parts/basics'
import { Loaded } from '../../parts/loaded'
import { variantColor } from '../../parts/traffic_bar'

type Bucket = '1h' | '1d' | '7d'
type Field = 'predictions' | 'mean_output'

function curvesOf(traffic: Traffic, endpoint: Endpoint, field: Field): Curve[] {
  return traffic.series.map(({ variant, points }) => ({
    label: variant,
    color: variantColor(variant, endpoint.variants),
    x: points.map((point) => Date.parse(point.time) / 1000),
    y: points.map((point) => point[field]),
    dashed: endpoint.variants.some((one) => one.name === variant && one.role === 'shadow'),
    filled: field === 'predictions' && variant === 'champion',
  }))
}

function Charts({ traffic, endpoint }: { traffic: Traffic; endpoint: Endpoint }) {
  const variants = JSON.stringify(endpoint.variants.map((one) => [one.name, one.role]))
  // The variants change less often than the statistics that come with them.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const [volume, output] = useMemo(() => [curvesOf(traffic, endpoint, 'predictions'), curvesOf(traffic, endpoint, 'mean_output')], [traffic, variants])
  return (
    <div className="two">
      <Card title="Predictions"><LineChart curves={volume} xIs="time" title="Predictions" format={short} syncKey="traffic" include={[0]} /></Card>
      <Card title="Mean output"><LineChart curves={output} xIs="time" title="Mean output" format={(value) => metric(value, 3)} syncKey="traffic" /></Card>
    </div>
  )
}

export function TrafficPanel({ endpoint, bucket, onBucket }: { endpoint: Endpoint; bucket: Bucket; onBucket: (next: Bucket) => void }) {
  const traffic = useQuery(trafficQuery(endpoint.name, bucket))
  return (
    <>
      <div className="section-head"><h2>Traffic over time</h2><Segments label="Bucket" value={bucket} items={['1h', '1d', '7d']} onChange={onBucket} /></div>
      <Loaded query={traffic} what="traffic over time">
        {(data) => data.series.some((one) => one.points.length > 0)
          ? <Charts traffic={data} endpoint={endpoint} />
          : <Empty title="No prediction yet" icon="endpoint">The first request shows up here.</Empty>}
      </Loaded>
    </>
  )
}
