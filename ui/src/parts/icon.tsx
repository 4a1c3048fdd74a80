// One small set of line icons, drawn on a 16 x 16 grid with the colour of the text.
const kPaths = {
  home: 'M2.5 7 8 2.5 13.5 7v6.5h-4v-4h-3v4h-4z',
  endpoint: 'M2 8h3.5M10.5 8H14M8 5.5A2.5 2.5 0 1 1 8 10.5 2.5 2.5 0 0 1 8 5.5zM4 3.5l2.2 2.5M12 12.5 9.8 10M12 3.5 9.8 6',
  model: 'M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM2.5 5 8 8.2 13.5 5M8 8.2v6',
  experiment: 'M6.2 2h3.6M6.8 2v4.2L3 12.6c-.5.9.1 1.6 1 1.6h8c.9 0 1.5-.7 1-1.6L9.2 6.2V2M4.8 10h6.4',
  pipeline: 'M3.5 2.5h3v3h-3zM9.5 2.5h3v3h-3zM9.5 10.5h3v3h-3zM6.5 4h3M5 5.5V12h4.5',
  monitor: 'M1.5 8.5h3L6.5 3l3 10 2-4.5h3',
  events: 'M5.5 4H14M5.5 8H14M5.5 12H14M2.3 4h.4M2.3 8h.4M2.3 12h.4',
  ok: 'M3 8.5 6.5 12 13 4.5',
  bad: 'M4 4l8 8M12 4l-8 8',
  warn: 'M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.2',
  run: 'M8 2a6 6 0 1 1-6 6',
  wait: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 4.8V8l2.2 1.6',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.2v9.6L12.5 8z',
  stop: 'M4 4h8v8H4z',
  skip: 'M4 8h8',
  dot: 'M8 6.5A1.5 1.5 0 1 1 8 9.5 1.5 1.5 0 0 1 8 6.5z',
  drop: 'M8 3v9M4.5 8.5 8 12l3.5-3.5',
  rise: 'M8 13V4M4.5 7.5 8 4l3.5 3.5',
  back: 'M3 7h7a3 3 0 0 1 0 6H7M5.5 4.5 3 7l2.5 2.5',
  search: 'M7 2.5A4.5 4.5 0 1 1 7 11.5 4.5 4.5 0 0 1 7 2.5zM10.3 10.3 13.5 13.5',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  folder: 'M1.8 3.5h4.4l1.5 2h6.5v7.5H1.8z',
  file: 'M4 1.8h5L12.5 5.3v8.9H4zM9 1.8v3.5h3.5',
  link: 'M6.5 9.5 13 3M9 3h4v4M11.5 9.5V13H3V4.5h3.5',
  chevron: 'M6 3.5 10.5 8 6 12.5',
  key: 'M2 4.5h12v7H2zM4.5 7h.2M7 7h.2M9.5 7h.2M11.8 7h.2M5 9.5h6',
} as const

export type IconName = keyof typeof kPaths

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={kPaths[name]} />
    </svg>
  )
}

export function Logo() {
  return (
    <svg className="logo" width="22" height="22" viewBox="0 0 24 24" aria-hidden="true">
      <rect width="24" height="24" rx="6" />
      <path d="M12 12.2c.5-1 2-.8 2.3.3.5 1.7-1 3.1-2.6 3-2.3-.1-3.8-2.2-3.5-4.3.4-2.9 3.2-4.6 5.9-4.1 3.3.6 5.3 3.8 4.6 6.9" />
    </svg>
  )
}
