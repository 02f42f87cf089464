// Print the id of each realtime transcription, or the error, as one JSON object per line.
import { VideoSDK } from "@videosdk.live/server-sdk";

const perPage = Number(process.argv[2]);
try {
  const client = new VideoSDK();
  const page = await client.transcription.realtime.list({ perPage });
  for await (const { id } of page) console.log(JSON.stringify({ id }));
} catch (error) {
  console.log(JSON.stringify({ error: error.constructor.name }));
}
