import { useQuery } from '@tanstack/react-query'
import { artifactsQuery } from '../../api/queries'
import { apiUrl, query } from '../../api/client'
import { bytes } from '../../format/number'
import { Card, Empty } from '../../parts/basics'
import { Icon } from '../../parts/icon'
import { Loaded } from '../../parts/loaded'

export function ArtifactList({ run, path, onPath }: { run: string; path: string; onPath: (path: string) => void }) {
  const files = useQuery(artifactsQuery(run, path))
  const parts = path ? path.split('/') : []
  return (
    <Card flush title={<nav className="crumbs" aria-label="Folder">
      <button type="button" className="link" onClick={() => onPath('')}>artifacts</button>
      {parts.map((part, i) => <button key={i} type="button" className="link" onClick={() => onPath(parts.slice(0, i + 1).join('/'))}>{part}</button>)}
    </nav>}>
      <Loaded query={files} what="artifacts">
        {(list) => list.length === 0 ? <Empty title="No artifacts here" icon="folder" line="mlflow.log_artifact('report.html')" /> : (
          <ul className="files">
            {[...list].sort((a, b) => Number(b.is_dir) - Number(a.is_dir) || a.path.localeCompare(b.path)).map((file) => {
              const name = file.path.split('/').at(-1)
              return (
                <li key={file.path}>
                  <Icon name={file.is_dir ? 'folder' : 'file'} />
                  {file.is_dir ? <button type="button" className="link" onClick={() => onPath(file.path)}>{name}</button>
                    : <a href={apiUrl(`/get-artifact${query({ run_id: run, path: file.path })}`)} download={name}>{name}</a>}
                  <span className="muted num">{file.is_dir ? '' : bytes(file.file_size)}</span>
                </li>
              )
            })}
          </ul>
        )}
      </Loaded>
    </Card>
  )
}
