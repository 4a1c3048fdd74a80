// A dense table with sortable columns; the sort lives in the caller (most often in the URL).
import {
  flexRender, getCoreRowModel, getSortedRowModel, useReactTable, type ColumnDef, type SortingState,
} from '@tanstack/react-table'
import { useMemo, type ReactNode } from 'react'
import { Icon } from './icon'

export type Columns<T> = ColumnDef<T, unknown>[]

declare module '@tanstack/react-table' {
  // The type parameters must repeat the library's own.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  interface ColumnMeta<TData, TValue> {
    numeric?: boolean
    wide?: boolean
  }
}

/** "-auc" means descending by auc. */
export function parseSort(sort: string | undefined): SortingState {
  return sort ? [{ id: sort.replace(/^-/, ''), desc: sort.startsWith('-') }] : []
}

export function printSort(sorting: SortingState): string | undefined {
  const [first] = sorting
  return first ? `${first.desc ? '-' : ''}${first.id}` : undefined
}

interface DataTableProps<T> {
  rows: T[]
  columns: Columns<T>
  rowKey: (row: T) => string
  sort?: string
  onSort?: (sort: string | undefined) => void
  onOpen?: (row: T) => void
  empty?: ReactNode
  label: string
  /** The key of the row that is shown elsewhere on the page. */
  chosen?: string
}

export function DataTable<T>({ rows, columns, rowKey, sort, onSort, onOpen, empty, label, chosen }: DataTableProps<T>) {
  // One array per sort: the library takes a new one for a change, and would render for ever.
  const sorting = useMemo(() => parseSort(sort), [sort])
  const table = useReactTable({
    data: rows,
    columns,
    state: { sorting },
    getRowId: rowKey,
    autoResetAll: false,
    autoResetPageIndex: false,
    enableSorting: onSort !== undefined,
    onSortingChange: (next) => onSort?.(printSort(typeof next === 'function' ? next(sorting) : next)),
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
  })
  if (rows.length === 0 && empty) return <>{empty}</>
  return (
    <div className="table-wrap">
      <table aria-label={label}>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => {
                const direction = header.column.getIsSorted()
                return (
                  <th key={header.id} className={header.column.columnDef.meta?.numeric ? 'right' : ''}
                    aria-sort={direction ? (direction === 'asc' ? 'ascending' : 'descending') : undefined}>
                    {header.column.getCanSort() ? (
                      <button type="button" className="sort" onClick={header.column.getToggleSortingHandler()}>
                        {flexRender(header.column.columnDef.header, header.getContext())}
                        {direction && <Icon name={direction === 'asc' ? 'rise' : 'drop'} size={12} />}
                      </button>
                    ) : (
                      flexRender(header.column.columnDef.header, header.getContext())
                    )}
                  </th>
                )
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id} className={`${onOpen ? 'open' : ''} ${row.id === chosen ? 'chosen' : ''}`} tabIndex={onOpen ? 0 : undefined}
              aria-current={row.id === chosen || undefined}
              onKeyDown={onOpen && ((event) => event.key === 'Enter' && event.target === event.currentTarget && onOpen(row.original))}
              onClick={onOpen && ((event) => {
                const inside = (event.target as HTMLElement).closest('a,button,input')
                if (!inside && !getSelection()?.toString()) onOpen(row.original)
              })}>
              {row.getVisibleCells().map((cell) => (
                <td key={cell.id} className={cell.column.columnDef.meta?.numeric ? 'right num' : cell.column.columnDef.meta?.wide ? 'wide' : ''}>
                  {flexRender(cell.column.columnDef.cell, cell.getContext())}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
