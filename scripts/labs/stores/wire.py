# SPDX-License-Identifier: GPL-2.0-or-later
"""
wire.py - two protocols over TCP, spoken by hand: requests of which nobody may wonder whether they were sent.

    Outcome of a request     how it is known
    done                     the store said so
    Refused                  the store said no, or nothing was ever sent: it has not happened and will not
    Unknown                  it was sent, and no answer came in time or no clear one: it may have happened, or may yet

A connection carries one request at a time, and is closed after an Unknown: the late answer would be taken for the next
one's. RESP is Redis's protocol (redis.io/docs/reference/protocol-spec), JSON over HTTP/1.1 that of etcd's gateway.
"""
import asyncio
import json

ANSWER_MAX = 64 << 20  # bytes; no answer of these labs is near it


class Refused(Exception):
    pass


class Unknown(Exception):
    pass


class Connection:
    """One of many to an address. `sent` tells whether the request in hand has left."""

    def __init__(self):
        self.reader = self.writer = None
        self.sent = False

    async def open(self, host, port):
        self.reader, self.writer = await asyncio.open_connection(host, port, limit=ANSWER_MAX)

    def send(self, data):
        self.sent = True
        self.writer.write(data)

    def close(self):
        if self.writer:
            self.writer.transport.abort()


class Pool:
    """Connections to one address that are open and idle."""

    def __init__(self, host, port, kind):
        self.host, self.port, self.kind = host, port, kind
        self.idle = []

    async def ask(self, *request, timeout):
        """The answer, within `timeout` seconds, all told; or Refused, or Unknown."""
        connection = self.idle.pop() if self.idle else None
        is_open = bool(connection)
        try:
            async with asyncio.timeout(timeout):
                if not connection:
                    connection = self.kind()
                    await connection.open(self.host, self.port)
                    is_open = True
                connection.sent = False
                answer = await connection.ask(*request)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError, LookupError) as error:
            sent = is_open and connection.sent
            if connection:
                connection.close()
            why = type(error).__name__ if isinstance(error, (TimeoutError, asyncio.IncompleteReadError)) else str(error)
            why = {"TimeoutError": "no answer in time", "IncompleteReadError": "closed without an answer"}.get(why, why)
            raise (Unknown(why) if sent else Refused("never sent: " + why)) from None
        except BaseException:
            if connection:
                connection.close()
            raise
        self.idle.append(connection)
        return answer

    def close(self):
        for connection in self.idle:
            connection.close()
        self.idle.clear()


class RespError(str):
    """What a Redis says in place of an answer."""


class Resp(Connection):
    async def ask(self, *words):
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            data = str(word).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self.send(b"".join(parts))
        return await self.read()

    async def read(self):
        line = (await self.reader.readuntil(b"\r\n"))[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return RespError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if int(rest) < 0 else (await self.reader.readexactly(int(rest) + 2))[:-2].decode()
        if kind == b"*":
            return None if int(rest) < 0 else [await self.read() for _ in range(int(rest))]
        raise ValueError("no RESP: " + repr(line[:40]))


class HttpJson(Connection):
    """POST of JSON; the answer is (status, what the JSON says)."""

    async def ask(self, path, what, headers=()):
        body = json.dumps(what).encode()
        head = [f"POST {path} HTTP/1.1", "Host: store", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        self.send("\r\n".join([*head, *headers, "", ""]).encode() + body)
        return await self.read()

    async def read(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        if fields.get("transfer-encoding", "").lower() == "chunked":
            body = await self.chunks()
        else:
            body = await self.reader.readexactly(int(fields["content-length"]))
        return status, json.loads(body)

    async def chunks(self):
        body = b""
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        while await self.reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailers, which the gateway adds to an error
        return body
