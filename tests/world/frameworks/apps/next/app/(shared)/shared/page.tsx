export default function Page() {
  return <p>Shared</p>
}
