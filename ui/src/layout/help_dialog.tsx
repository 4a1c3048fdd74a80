import { Dialog } from './dialog'
import { kPages } from './pages'

export function HelpDialog({ onClose }: { onClose: () => void }) {
  const lines: [keys: string[], what: string][] = [
    [['/'], 'Search or filter this page'],
    [['Ctrl', 'K'], 'Jump to anything'],
    ...kPages.map((page): [string[], string] => [['g', page.letter], `Go to ${page.label}`]),
    [['Esc'], 'Leave a field, close a dialog'],
    [['?'], 'This help'],
  ]
  return (
    <Dialog label="Keyboard" onClose={onClose} className="help">
      <h2>Keyboard</h2>
      <dl>
        {lines.map(([keys, what]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">Charts: drag to zoom, double-click to see everything again.</p>
    </Dialog>
  )
}
