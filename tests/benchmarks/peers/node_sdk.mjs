// Walk a list with the vendor's Node SDK, and print the measurements of the walk as JSON.
import { VideoSDK } from "@videosdk.live/server-sdk";

const job = JSON.parse(process.argv[2]);
const client = new VideoSDK({
  apiKey: "key",
  secret: "benchmark-secret-".repeat(4),
  apiEndpoint: `${job.server}/${job.rows}/${job.delay}`,
});
const [began, usedBefore] = [performance.now(), process.cpuUsage()];
let rows = 0;
for await (const row of await client.transcription.realtime.list({ perPage: job.page_size })) {
  rows += row.id ? 1 : 0;
}
const [wall, used] = [(performance.now() - began) / 1000, process.cpuUsage(usedBefore)];
const cpu = (used.user + used.system) / 1e6;
console.log(JSON.stringify({ rows, wall, steady: wall, cpu, peak: process.resourceUsage().maxRSS * 1024 }));
