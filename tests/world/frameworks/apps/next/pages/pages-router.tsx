import type { GetServerSideProps } from 'next'
import { createSyncClient } from 'tidemark'
import { dehydrate, useMutation, usePending, useQuery } from 'tidemark/react'
import { addTodo, todosQuery } from '../todos'

export const getServerSideProps: GetServerSideProps = async ({ req }) => {
  const sync = createSyncClient({ headers: { cookie: req.headers.cookie } })
  await sync.queryClient.prefetchQuery(todosQuery)
  return { props: { dehydratedState: dehydrate(sync.queryClient) } }
}

export default function Page() {
  const { data: todos = [] } = useQuery(todosQuery)
  const { mutate } = useMutation(addTodo)
  const isSaving = usePending({}, (writes) => writes.length > 0)
  return (
    <>
      <ul>
        {todos.map(({ id, title }) => (
          <li key={id}>{title}</li>
        ))}
      </ul>
      <button type="button" onClick={() => mutate({ id: crypto.randomUUID(), title: 'Milk' })}>
        Add milk
      </button>
      <p role="status">{isSaving ? 'Saving' : 'Saved'}</p>
    </>
  )
}
