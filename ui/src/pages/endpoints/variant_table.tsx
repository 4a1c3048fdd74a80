import { Link } from '@tanstack/react-router'
import type { Variant } from '../../api/types'
import { percent } from '../../format/number'
import { DataTable, type Columns } from '../../parts/data_table'
import { Status } from '../../parts/status'
import { variantColor } from '../../parts/traffic_bar'

export function VariantTable({ variants }: { variants: Variant[] }) {
  const columns: Columns<Variant> = [
    { id: 'name', header: 'Variant', cell: ({ row: { original: one } }) => (
      <><i className={`key c${variantColor(one.name, variants) + 1} ${one.role === 'shadow' ? 'dashed' : ''}`} /><strong>{one.name}</strong></>) },
    { id: 'role', header: 'Role', cell: ({ row }) => row.original.role },
    { id: 'model', header: 'Model version', cell: ({ row: { original: one } }) => (
      <Link className="mono" to="/models/$name" params={{ name: one.model }} search={{ version: String(one.version) }}>{one.model}/{one.version}</Link>) },
    { id: 'weight', header: 'Share', meta: { numeric: true }, cell: ({ row: { original: one } }) => (one.role === 'shadow' ? 'answers nobody' : percent(one.weight)) },
    { id: 'state', header: 'State', cell: ({ row }) => <Status state={row.original.state} title={row.original.reason} /> },
    { id: 'reason', header: '', meta: { wide: true }, cell: ({ row }) => <span className="muted">{row.original.reason}</span> },
  ]
  return <DataTable label="Variants" rows={variants} columns={columns} rowKey={(row) => row.name} />
}
