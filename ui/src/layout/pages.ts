// The pages of the left rail, in order, with the letter that goes there after "g".
import type { IconName } from '../parts/icon'

export interface PageLink {
  to: '/' | '/endpoints' | '/models' | '/experiments' | '/pipelines' | '/monitoring' | '/events'
  label: string
  icon: IconName
  letter: string
}

export const kPages: PageLink[] = [
  { to: '/', label: 'Home', icon: 'home', letter: 'h' },
  { to: '/endpoints', label: 'Endpoints', icon: 'endpoint', letter: 'e' },
  { to: '/models', label: 'Models', icon: 'model', letter: 'm' },
  { to: '/experiments', label: 'Experiments', icon: 'experiment', letter: 'r' },
  { to: '/pipelines', label: 'Pipelines', icon: 'pipeline', letter: 'p' },
  { to: '/monitoring', label: 'Monitoring', icon: 'monitor', letter: 'a' },
  { to: '/events', label: 'Events', icon: 'events', letter: 'v' },
]
