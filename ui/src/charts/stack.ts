/** Each column on top of the ones before it; what is absent counts as nothing. With `share`, of each row's sum. */
export function stack(columns: (number | null)[][], share = false): number[][] {
  const rows = columns[0]?.length ?? 0
  const sums = Array.from({ length: rows }, (_, row) => columns.reduce((sum, column) => sum + (column[row] ?? 0), 0))
  const below = new Array<number>(rows).fill(0)
  return columns.map((column) =>
    below.map((before, row) => {
      const part = column[row] ?? 0
      const whole = sums[row] ?? 0
      return (below[row] = before + (share ? (whole > 0 ? part / whole : 0) : part))
    }),
  )
}
