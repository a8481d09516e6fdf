/** What a task is, for the server and the page alike. */

export interface Task {
  id: string
  title: string
  done: boolean
  /** Its place in the list: texts that sort, so that a task moves without its neighbours being written. */
  rank: string
  /** One more with every write. */
  version: number
}

export interface AddTask {
  id: string
  title: string
  rank: string
}

/** `from` is the title that was on the screen: another one on the server is a conflict. */
export interface RenameTask {
  id: string
  from: string
  title: string
}

export interface ToggleTask {
  id: string
  done: boolean
}

export interface MoveTask {
  id: string
  rank: string
}

export interface RemoveTask {
  id: string
}

/** The server refuses longer titles. */
export const TITLE_MAX = 80

/** Header by which the drawer asks the server to misbehave with one write: `reject` or `conflict`. */
export const FAULT_HEADER = 'demo-fault'
