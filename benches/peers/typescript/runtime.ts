// The least loop over the Runtime API. Lambda's own client for Node.js does more.
import * as http from "node:http";

const agent = new http.Agent({ keepAlive: true, maxSockets: 1, noDelay: true });
const [host, port] = (process.env.AWS_LAMBDA_RUNTIME_API ?? "").split(":");

function send(method: string, path: string, body?: string): Promise<{ headers: http.IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const request = http.request({ host, port, method, path, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

export async function run(handler: (event: any) => Promise<unknown>) {
  for (;;) {
    const next = await send("GET", "/2018-06-01/runtime/invocation/next");
    const id = next.headers["lambda-runtime-aws-request-id"];
    const result = JSON.stringify(await handler(JSON.parse(next.body)));
    await send("POST", `/2018-06-01/runtime/invocation/${id}/response`, result);
  }
}
