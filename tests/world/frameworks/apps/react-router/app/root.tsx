import { useState } from 'react'
import { Links, Meta, Outlet, Scripts } from 'react-router'
import { createSyncClient } from 'tidemark'
import { SyncProvider } from 'tidemark/react'
import { addTodo } from '../todos'

export default function Root() {
  const [sync] = useState(() => createSyncClient({ mutations: [addTodo] }))
  return (
    <html lang="en">
      <head>
        <Meta />
        <Links />
      </head>
      <body>
        <SyncProvider client={sync}>
          <Outlet />
        </SyncProvider>
        <Scripts />
      </body>
    </html>
  )
}
