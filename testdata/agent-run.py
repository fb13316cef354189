#!/usr/bin/env python3
"""Writes testdata/agent-run.jsonl: the same bytes every time, from nothing but this file.

Three traces in the shape of a small agent server (ids, texts and times are made up):
1. a request whose agent takes three steps; one tool call fails and is retried, a background task outlives the request;
2. a streamed request that is cancelled while the model answers, through four spans;
3. a task whose parent was never exported, and a span that never ended.
"""

import hashlib
import json

START = 1_772_366_400_000_000_000  # 2026-03-01T12:00:00Z
MS = 1_000_000


def number(seed, digits):
    return hashlib.sha256(seed.encode()).hexdigest()[:digits]


def value(v):
    if isinstance(v, bool):
        return {"boolValue": v}
    if isinstance(v, int):
        return {"intValue": str(v)}
    if isinstance(v, float):
        return {"doubleValue": v}
    if isinstance(v, list):
        return {"arrayValue": {"values": [value(x) for x in v]}}
    return {"stringValue": v}


def attributes(pairs):
    return [{"key": key, "value": value(v)} for key, v in pairs.items()]


class Trace:
    def __init__(self, name, offset_ms):
        self.name, self.offset, self.spans = name, offset_ms * MS, []

    def span(self, name, parent, start, end, kind=1, status=None, message="", attrs=None, events=(), links=()):
        """Times in milliseconds after the trace's start; an end of None is a span that never ended."""
        span_id = number(f"{self.name}/{len(self.spans)}/{name}", 16)
        out = {"traceId": number(self.name, 32), "spanId": span_id}
        if parent:
            out["parentSpanId"] = parent
        out["flags"] = 257
        out["name"] = name
        out["kind"] = kind
        out["startTimeUnixNano"] = str(START + self.offset + int(start * MS))
        if end is not None:
            out["endTimeUnixNano"] = str(START + self.offset + int(end * MS))
        out["attributes"] = attributes(attrs or {})
        if events:
            out["events"] = [
                {"timeUnixNano": str(START + self.offset + int(at * MS)), "name": event, "attributes": attributes(pairs)}
                for at, event, pairs in events
            ]
        if links:
            out["links"] = [{"traceId": trace, "spanId": span, "attributes": attributes(pairs)} for trace, span, pairs in links]
        out["status"] = {k: v for k, v in (("message", message), ("code", status)) if v}
        self.spans.append(out)
        return span_id


def exception(at, kind, message, place):
    trace = f'Traceback (most recent call last):\n  File "{place}", in execute\n    raise {kind}("{message}")\n{kind}: {message}\n'
    return (at, "exception", {"exception.type": kind, "exception.message": message, "exception.stacktrace": trace})


def llm(t, parent, start, end, tokens, finish="tool_calls", **more):
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Which invoices are overdue?"}]}])
    attrs = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1-mini",
        "gen_ai.usage.input_tokens": tokens[0],
        "gen_ai.usage.output_tokens": tokens[1],
        "gen_ai.response.finish_reasons": [finish],
        "gen_ai.input.messages": messages,
    }
    call = t.span("chat gpt-4.1-mini", parent, start, end, kind=3, attrs=attrs, **more)
    t.span("POST", call, start + 1, end - 1, kind=3, attrs={"http.request.method": "POST", "server.address": "api.openai.example",
           "http.response.status_code": 200, "url.full": "https://api.openai.example/v1/chat/completions"})
    return call


def tool(t, parent, name, start, end, arguments, **more):
    attrs = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.call.arguments": json.dumps(arguments)}
    outer = t.span("ToolExecutionManager.execute_tool_async", parent, start - 1, end + 1, attrs={"parameter.function_name": name})
    return t.span(f"execute_tool {name}", outer, start, end, attrs=attrs, **more)


def database(t, parent, start, end, statement, table="ledger"):
    return t.span(f"{statement.split()[0]} {table}", parent, start, end, kind=3, attrs={"db.system.name": "postgresql", "db.query.text": statement})


def request():
    t = Trace("request", 0)
    route = "POST /v1/agents/{agent_id}/messages"
    root = t.span(route, None, 0, 1840, kind=2, status=1, attrs={"http.status_code": 200, "entry.timestamp_ms": START // MS})
    inner = t.span(route, root, 1, 1839, attrs={"http.method": "POST", "agent.id": "agent-7f2c", "user.id": "user-1",
                   "http.request.header.authorization": "Bearer not-a-real-token-0123456789"})
    agent = t.span("LettaAgentV3.step", inner, 6, 1834, attrs={"parameter.max_steps": 5, "parameter.run_id": "run-1"})
    for n, (start, end) in enumerate([(8, 610), (612, 1290), (1292, 1830)], 1):
        step = t.span("agent_step", agent, start, end, attrs={"step_id": f"step-{n}"})
        last = n == 3
        llm(t, step, start + 6, start + 400, (1200 + 310 * n, 40 + 25 * n), "stop" if last else "tool_calls")
        if n == 1:
            found = tool(t, step, "search_invoices", 420, 590, {"status": "overdue", "limit": 50})
            database(t, found, 424, 580, "SELECT id, due, amount FROM invoices WHERE status = $1 LIMIT $2", "invoices")
        if n == 2:
            failed = exception(1101, "TimeoutError", "ledger did not answer within 80 ms", "tools/ledger.py:88")
            failing = tool(t, step, "post_reminder", 1020, 1102, {"invoice": "INV-17"}, status=2,
                           message="TimeoutError: ledger did not answer within 80 ms", events=[failed])
            t.span("SELECT ledger", failing, 1021, 1101, kind=3, status=2, message="statement timeout",
                   attrs={"db.system.name": "postgresql", "db.query.text": "SELECT * FROM ledger WHERE invoice = $1"}, events=[failed])
            retried = tool(t, step, "post_reminder", 1140, 1270, {"invoice": "INV-17"})
            database(t, retried, 1144, 1262, "SELECT * FROM ledger WHERE invoice = $1")
    saved = t.span("MessageManager.create_many_messages_async", agent, 1830.5, 1833, attrs={"parameter.count": 6})
    database(t, saved, 1831, 1832.6, "INSERT INTO messages VALUES ($1, $2, $3)", "messages")
    spawn = t.span("coroutine.safe_create_task", agent, 1833.2, 1833.3)
    t.span("StepManager.record_step_metrics_async", spawn, 1835, 2410, attrs={"parameter.step_id": "step-3"})
    return t, root


def cancelled(request_root):
    t = Trace("stream", 5_000)
    place = "services/streaming_service.py:341"
    at = 912.0
    event = exception(at, "asyncio.CancelledError", "the client went away", place)
    event[2].update({"task.name": "Task-41", "function.name": "stream_async"})
    link = [(number("request", 32), request_root, {"reason": "same conversation"})]
    root = t.span("POST /v1/agents/{agent_id}/messages/stream", None, 0, 35, kind=2, status=1, attrs={"http.status_code": 200}, links=link)
    agent = t.span("LettaAgentV3.stream", root, 20, at + 1, status=2, message="CancelledError: the client went away", events=[event])
    step = t.span("agent_step", agent, 22, at + 0.5, status=2, message="CancelledError: the client went away", events=[event])
    call = t.span("OpenAIClient.stream_async", step, 24, at + 0.2, kind=3, status=2, message="CancelledError: the client went away",
                  attrs={"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4.1-mini"}, events=[event])
    t.span("time_to_first_token", call, 25, 310)
    return t


def lost():
    t = Trace("lost", 9_000)
    gone = number("a parent that was never exported", 16)
    task = t.span("Job.run", gone, 0, 420, attrs={"job.name": "compact_memory"})
    t.span("GET /embeddings", task, 5, 190, kind=3, attrs={"http.request.method": "GET", "http.response.status_code": 200})
    t.span("GET /embeddings", task, 195, 410, kind=3, attrs={"http.request.method": "GET", "http.response.status_code": 200})
    t.span("Job.heartbeat", task, 12, None)
    return t


def resource(service):
    return {"attributes": attributes({"service.name": service, "service.version": "1.4.0", "deployment.environment": "test",
                                      "telemetry.sdk.language": "python", "telemetry.sdk.name": "opentelemetry"})}


def main():
    first, root = request()
    documents = []
    for trace, service in ((first, "agent-server"), (cancelled(root), "agent-server"), (lost(), "agent-worker")):
        # Exporters send spans as they end, in small batches.
        spans = sorted(trace.spans, key=lambda span: int(span.get("endTimeUnixNano", "9" * 19)))
        for at in range(0, len(spans), 12):
            scope = {"scope": {"name": "agent.tracing", "version": "0.3"}, "spans": spans[at : at + 12]}
            documents.append({"resourceSpans": [{"resource": resource(service), "scopeSpans": [scope]}]})
    with open(__file__.replace(".py", ".jsonl"), "w", encoding="utf-8") as out:
        for document in documents:
            out.write(json.dumps(document, separators=(",", ":")) + "\n")


main()
