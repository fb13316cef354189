"""Sends spans with the OpenTelemetry SDK for Python: send.py grpc|http COUNT; the endpoint comes from the environment."""

import sys

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

if sys.argv[1] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

provider = TracerProvider(resource=Resource.create({"service.name": "python-client"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("send")
for number in range(int(sys.argv[2])):
    with tracer.start_as_current_span("run") as run:
        run.set_attribute("prompt", 'say "hi"\n\u00e4')
        with tracer.start_as_current_span("step") as step:
            step.add_event("tick", {"number": number})
            step.set_status(Status(StatusCode.ERROR, "boom"))
provider.shutdown()
