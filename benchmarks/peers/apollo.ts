// Apollo Client: a normalized cache, `optimisticResponse`, and a link that is answered by the server of the benchmarks.
import { ApolloClient, ApolloLink, gql, InMemoryCache, Observable } from '@apollo/client'
import type { Change, Row, Server } from '../harness/server.ts'
import type { Library, Subject } from '../harness/subject.ts'

const ROWS = gql`
  query Rows {
    rows { id n title done rank }
  }
`
const CHANGE = gql`
  mutation Change($id: ID!, $n: Int!) {
    change(id: $id, n: $n) { id n title done rank }
  }
`
const ROW = gql`
  fragment RowFields on Row { id n title done rank }
`

const typed = (row: Row) => ({ __typename: 'Row', ...row })

function openClient(server: Server): ApolloClient {
  const link = new ApolloLink(
    ({ operationName, variables }) =>
      new Observable((observer) => {
        const answer =
          operationName === 'Rows'
            ? server.read().then((rows) => ({ data: { rows: rows.map(typed) } }))
            : server.send(variables as Change).then((row) => ({ data: { change: typed(row) } }))
        answer.then(
          (result) => [observer.next(result), observer.complete()],
          (error) => observer.error(error),
        )
      }),
  )
  return new ApolloClient({ link, cache: new InMemoryCache() })
}

export const apollo: Library = {
  name: 'Apollo Client',
  hasRows: true,
  // Beyond, it reads and writes for seconds; a read under ten pending writes takes two.
  most: 10_000,
  mostPending: 10,
  async open({ server, show, watch }): Promise<Subject> {
    const client = openClient(server)
    await client.query({ query: ROWS })
    const from = (id: string) => ({ __typename: 'Row', id })
    if (watch === undefined)
      client.watchQuery<{ rows: Row[] }>({ query: ROWS }).subscribe(({ data }) => show(data?.rows as Row[] | undefined))
    else client.watchFragment<Row>({ fragment: ROW, from: from(watch) }).subscribe(({ data }) => show(data as Row))
    return {
      write({ id, n }) {
        const row = client.readFragment<Row>({ fragment: ROW, id: `Row:${id}` }) as Row
        return client
          .mutate({
            mutation: CHANGE,
            variables: { id, n },
            optimisticResponse: { change: { ...row, n } },
          })
          .catch(() => {})
      },
      refetch: () => client.refetchQueries({ include: [ROWS] }),
      handIn: (rows) => void client.writeQuery({ query: ROWS, data: { rows: rows.map(typed) } }),
      close: () => client.stop(),
    }
  },
}
