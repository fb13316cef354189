// Sends spans with the OpenTelemetry SDK for JavaScript: send.js grpc|proto|http COUNT; the endpoint comes from the
// environment.
const { BasicTracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { trace, context } = require("@opentelemetry/api");
const [kind, count] = [process.argv[2], Number(process.argv[3])];
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${kind}`);

const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
const tracer = provider.getTracer("send");
for (let number = 0; number < count; number++) {
  const run = tracer.startSpan("run", { attributes: { prompt: 'say "hi"\nä', number } });
  const step = tracer.startSpan("step", {}, trace.setSpan(context.active(), run));
  step.recordException(new Error("boom"));
  step.setStatus({ code: 2, message: "boom" });
  step.end();
  run.end();
}
provider.shutdown();
