/**
 * The parsing rules of the standard (WHATWG HTML, 9.2.5 and 9.2.6) as data: what the server sends, what the handler gets.
 */

export interface ParsingCase {
  name: string
  /** What the server sends. */
  body: string | Uint8Array
  /** What the handler gets: event, data, and the last event id as of it. */
  events: Array<[event: string, data: string, lastEventId?: string]>
  /** The last event id after the end, as the next request sends it. */
  lastId?: string
  /** The server's `retry:` that counts, in milliseconds. */
  retry?: number
}

const BOM = '\uFEFF'
const bytes = (...parts: Array<string | number[]>): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...new TextEncoder().encode(part)] : part)))

export const PARSING_CASES: ParsingCase[] = [
  // Lines
  { name: 'LF ends lines', body: 'data: a\n\n', events: [['message', 'a']] },
  { name: 'CR ends lines', body: 'data: a\r\r', events: [['message', 'a']] },
  { name: 'CRLF ends lines', body: 'data: a\r\n\r\n', events: [['message', 'a']] },
  { name: 'CRLF is one end, not two', body: 'data: a\r\ndata: b\r\n\r\n', events: [['message', 'a\nb']] },
  {
    name: 'LF then CR is two ends',
    body: 'data: a\n\rdata: b\n\n',
    events: [
      ['message', 'a'],
      ['message', 'b'],
    ],
  },
  {
    name: 'all three mix',
    body: 'data: a\ndata: b\rdata: c\r\n\r\ndata: d\n\r\n',
    events: [
      ['message', 'a\nb\nc'],
      ['message', 'd'],
    ],
  },
  { name: 'a CR at the very end ends the block', body: 'data: a\n\r', events: [['message', 'a']] },
  { name: 'two CRs at the very end end the block', body: 'data: a\r\r', events: [['message', 'a']] },
  {
    name: 'CR CR LF is two ends',
    body: 'data: a\r\r\ndata: b\n\n',
    events: [
      ['message', 'a'],
      ['message', 'b'],
    ],
  },
  {
    name: 'no other character ends a line',
    body: 'data: a\u2028b\u2029c\u0085d\ve\ff\n\n',
    events: [['message', 'a\u2028b\u2029c\u0085d\ve\ff']],
  },
  { name: 'empty blocks are nothing', body: '\n\n\r\n\r\r\n\ndata: a\n\n\n\n', events: [['message', 'a']] },
  { name: 'an empty body is nothing', body: '', events: [] },
  // The end
  { name: 'a block without its blank line is dropped', body: 'data: a\n\ndata: b\n', events: [['message', 'a']] },
  { name: 'a line without its end is dropped', body: 'data: a\n\ndata: b', events: [['message', 'a']] },
  {
    name: 'an id without its blank line does not count',
    body: 'id: 1\ndata: a\n\nid: 2\ndata: b\n',
    events: [['message', 'a', '1']],
    lastId: '1',
  },
  {
    name: 'an id cut in its line does not count',
    body: 'id: 1\ndata: a\n\nid: 2',
    events: [['message', 'a', '1']],
    lastId: '1',
  },
  // Byte order marks
  { name: 'one byte order mark is removed', body: `${BOM}data: a\n\n`, events: [['message', 'a']] },
  {
    name: 'a second byte order mark belongs to the field',
    body: `${BOM}${BOM}data: a\n\ndata: b\n\n`,
    events: [['message', 'b']],
  },
  {
    name: 'a byte order mark later on belongs to the field',
    body: `data: a\n\n${BOM}data: b\n\ndata: c\n\n`,
    events: [
      ['message', 'a'],
      ['message', 'c'],
    ],
  },
  { name: 'a byte order mark in data is kept', body: `data: ${BOM}a\n\n`, events: [['message', `${BOM}a`]] },
  { name: 'a byte order mark alone is nothing', body: BOM, events: [] },
  { name: 'a byte order mark before a comment', body: `${BOM}: hi\ndata: a\n\n`, events: [['message', 'a']] },
  {
    name: 'a piece of a byte order mark is no byte order mark',
    body: bytes([0xef, 0xbb], 'data: a\n\ndata: b\n\n'),
    events: [['message', 'b']],
  },
  {
    name: 'text that looks like a byte order mark in Latin-1 is kept',
    body: '\u00EF\u00BB\u00BFdata: a\n\ndata: b\n\n',
    events: [['message', 'b']],
  },
  // Encoding
  { name: 'characters of two, three and four bytes', body: 'data: é€😀\n\n', events: [['message', 'é€😀']] },
  {
    name: 'bytes that are no UTF-8 become U+FFFD',
    body: bytes('data: a', [0xff], 'b', [0xc3], '\n\n'),
    events: [['message', 'a\uFFFDb\uFFFD']],
  },
  {
    name: 'a surrogate in UTF-8 becomes three U+FFFD',
    body: bytes('data: ', [0xed, 0xa0, 0x80], '\n\n'),
    events: [['message', '\uFFFD\uFFFD\uFFFD']],
  },
  {
    name: 'an overlong line feed is no line feed',
    body: bytes('data: a', [0xc0, 0x8a], 'b\n\n'),
    events: [['message', 'a\uFFFD\uFFFDb']],
  },
  { name: 'NUL in data is kept', body: 'data: a\0b\n\n', events: [['message', 'a\0b']] },
  { name: 'NUL in a name of an event is kept', body: 'event: a\0b\ndata: c\n\n', events: [['a\0b', 'c']] },
  { name: 'NUL in a name of a field makes it unknown', body: 'da\0ta: a\ndata: b\n\n', events: [['message', 'b']] },
  // Comments
  {
    name: 'a line that begins with a colon is a comment',
    body: ': data: x\n:\n:: y\ndata: a\n\n',
    events: [['message', 'a']],
  },
  { name: 'a comment in a block does not end it', body: 'data: a\n: x\ndata: b\n\n', events: [['message', 'a\nb']] },
  { name: 'a comment alone is no event', body: ': x\n\n', events: [] },
  { name: 'a long comment is nothing', body: `:${'x'.repeat(5_000)}\ndata: a\n\n`, events: [['message', 'a']] },
  // Fields
  { name: 'one space after the colon is removed', body: 'data: a\n\n', events: [['message', 'a']] },
  { name: 'only one space is removed', body: 'data:  a \n\n', events: [['message', ' a ']] },
  { name: 'no space is needed', body: 'data:a\n\n', events: [['message', 'a']] },
  { name: 'a tab is not removed', body: 'data:\ta\n\n', events: [['message', '\ta']] },
  { name: 'a no-break space is not removed', body: 'data:\u00A0a\n\n', events: [['message', '\u00A0a']] },
  { name: 'later colons belong to the value', body: 'data: a: b:c\n\n', events: [['message', 'a: b:c']] },
  { name: 'a colon at once belongs to the value', body: 'data::a\n\n', events: [['message', ':a']] },
  { name: 'names of fields are literal: case', body: 'Data: x\nDATA: y\ndata: a\n\n', events: [['message', 'a']] },
  { name: 'names of fields are literal: space before', body: ' data: x\ndata: a\n\n', events: [['message', 'a']] },
  { name: 'names of fields are literal: space after', body: 'data : x\ndata: a\n\n', events: [['message', 'a']] },
  { name: 'names of fields are literal: tab before', body: '\tdata: x\ndata: a\n\n', events: [['message', 'a']] },
  {
    name: 'names of fields are literal: longer',
    body: 'datas: x\ndata2: y\nda: z\ndata: a\n\n',
    events: [['message', 'a']],
  },
  { name: 'unknown fields are nothing', body: 'foo: x\nbar\n\ndata: a\nbaz:\n\n', events: [['message', 'a']] },
  { name: 'a field without a colon is the whole line', body: 'data a\ndata: b\n\n', events: [['message', 'b']] },
  {
    name: 'the order of fields does not matter',
    body: 'data: a\nid: 1\nevent: e\n\n',
    events: [['e', 'a', '1']],
    lastId: '1',
  },
  // data
  {
    name: 'lines of data are joined by LF',
    body: 'data: a\ndata\ndata:\ndata: b\n\n',
    events: [['message', 'a\n\n\nb']],
  },
  { name: 'data without a value is an event', body: 'data\n\n', events: [['message', '']] },
  { name: 'data with an empty value is an event', body: 'data:\n\n', events: [['message', '']] },
  { name: 'two empty lines of data are one LF', body: 'data\ndata\n\n', events: [['message', '\n']] },
  { name: 'a block without data is no event', body: 'event: e\n\ndata: a\n\n', events: [['message', 'a']] },
  {
    name: 'data does not leak into the next block',
    body: 'data: a\n\nevent: e\n\ndata: b\n\n',
    events: [
      ['message', 'a'],
      ['message', 'b'],
    ],
  },
  {
    name: 'data that looks like fields',
    body: 'data: id: 9\ndata: event: x\n\n',
    events: [['message', 'id: 9\nevent: x']],
  },
  // event
  { name: 'an event has a name', body: 'event: tide\ndata: a\n\n', events: [['tide', 'a']] },
  { name: 'the last name counts', body: 'event: a\nevent: b\ndata: c\n\n', events: [['b', 'c']] },
  {
    name: 'an empty name is the default',
    body: 'event:\ndata: a\n\nevent\ndata: b\n\n',
    events: [
      ['message', 'a'],
      ['message', 'b'],
    ],
  },
  {
    name: 'an empty name takes an earlier one back',
    body: 'event: x\nevent:\ndata: a\n\n',
    events: [['message', 'a']],
  },
  { name: 'a name does not leak into the next block', body: 'event: x\n\ndata: a\n\n', events: [['message', 'a']] },
  { name: 'names are literal', body: 'event:  Tide \ndata: a\n\n', events: [[' Tide ', 'a']] },
  {
    name: 'names of objects are only names',
    body: 'event: __proto__\ndata: a\n\nevent: constructor\ndata: b\n\n',
    events: [
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ],
  },
  // id
  {
    name: 'an id stays until the next',
    body: 'id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n',
    events: [
      ['message', 'a', '1'],
      ['message', 'b', '1'],
      ['message', 'c', '2'],
    ],
    lastId: '2',
  },
  {
    name: 'an id without data moves the position',
    body: 'id: 1\ndata: a\n\nid: 2\n\n',
    events: [['message', 'a', '1']],
    lastId: '2',
  },
  {
    name: 'an id without data counts for the next event',
    body: 'id: 7\n\ndata: a\n\n',
    events: [['message', 'a', '7']],
    lastId: '7',
  },
  {
    name: 'the last id of a block counts',
    body: 'id: 1\nid: 2\ndata: a\n\n',
    events: [['message', 'a', '2']],
    lastId: '2',
  },
  {
    name: 'an empty id clears the position',
    body: 'id: 1\ndata: a\n\nid:\ndata: b\n\n',
    events: [
      ['message', 'a', '1'],
      ['message', 'b'],
    ],
  },
  {
    name: 'an id without a colon clears the position',
    body: 'id: 1\ndata: a\n\nid\ndata: b\n\n',
    events: [
      ['message', 'a', '1'],
      ['message', 'b'],
    ],
  },
  { name: 'an empty id alone clears the position', body: 'id: 1\ndata: a\n\nid\n\n', events: [['message', 'a', '1']] },
  {
    name: 'an id with NUL is ignored',
    body: 'id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n',
    events: [
      ['message', 'a', '1'],
      ['message', 'b', '1'],
    ],
    lastId: '1',
  },
  {
    name: 'an id with NUL does not take an earlier one back',
    body: 'id: 1\nid: \0\ndata: a\n\n',
    events: [['message', 'a', '1']],
    lastId: '1',
  },
  {
    name: 'an id keeps its spaces inside',
    body: 'id: a  b\ndata: c\n\n',
    events: [['message', 'c', 'a  b']],
    lastId: 'a  b',
  },
  {
    name: 'an id may be any text',
    body: 'id: é€😀 …\ndata: a\n\n',
    events: [['message', 'a', 'é€😀 …']],
    lastId: 'é€😀 …',
  },
  {
    name: 'an id with control characters is kept out of the header',
    body: 'id: 1\u0001\ndata: a\n\n',
    events: [['message', 'a', '1\u0001']],
  },
  { name: 'ids are literal: case', body: 'ID: 9\nId: 8\ndata: a\n\n', events: [['message', 'a']] },
  // retry
  { name: 'retry counts', body: 'retry: 4000\n\n', events: [], retry: 4_000 },
  { name: 'retry counts at its line, whatever becomes of the block', body: 'retry: 4000\n', events: [], retry: 4_000 },
  { name: 'retry in a block with data', body: 'data: a\nretry: 4000\n\n', events: [['message', 'a']], retry: 4_000 },
  { name: 'retry takes no sign', body: 'retry: -4000\n\nretry: +4000\n\n', events: [] },
  { name: 'retry takes no point', body: 'retry: 4000.5\n\n', events: [] },
  { name: 'retry takes no unit', body: 'retry: 4000ms\n\n', events: [] },
  { name: 'retry takes no exponent', body: 'retry: 4e3\n\n', events: [] },
  { name: 'retry takes no other digits', body: 'retry: ４０００\n\n', events: [] },
  { name: 'retry takes no more spaces', body: 'retry:  4000\n\n', events: [] },
  { name: 'retry without a value is ignored', body: 'retry\n\nretry:\n\n', events: [] },
  { name: 'retry takes leading zeros', body: 'retry: 0004000\n\n', events: [], retry: 4_000 },
  {
    name: 'retry that is ignored leaves the earlier one',
    body: 'retry: 4000\n\nretry: x\n\n',
    events: [],
    retry: 4_000,
  },
  { name: 'retry has a floor', body: 'retry: 0\n\n', events: [], retry: 250 },
  { name: 'retry has a ceiling', body: 'retry: 9999999999\n\n', events: [], retry: 300_000 },
  {
    name: 'retry beyond all numbers has the ceiling',
    body: `retry: ${'9'.repeat(400)}\n\n`,
    events: [],
    retry: 300_000,
  },
  // Larger
  { name: 'a long line', body: `data: ${'x'.repeat(3_000)}\n\n`, events: [['message', 'x'.repeat(3_000)]] },
  { name: 'many lines', body: `${'data: y\n'.repeat(300)}\n`, events: [['message', Array(300).fill('y').join('\n')]] },
  { name: 'many events', body: 'data: z\n\n'.repeat(200), events: Array(200).fill(['message', 'z']) },
]
