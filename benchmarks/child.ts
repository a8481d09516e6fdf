// One benchmark at one size, in a process of its own: `node --expose-gc benchmarks/child.ts <name> <size>`. It writes its
// figures as the last line. Nothing that another benchmark compiled or left in memory is there.
import { benchmarks } from './rows/index.ts'

const [name, size] = process.argv.slice(2)
const benchmark = benchmarks.find((each) => each.name === name)
if (benchmark === undefined) throw new Error(`There is no benchmark "${name}".`)
const figures = await benchmark.measure(Number(size))
console.log(JSON.stringify(figures.map((figure) => ({ row: benchmark.name, size: Number(size), ...figure }))))
process.exit(0)
