#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
tagged.py - one Ethernet frame with an 802.1Q tag: sent, or heard with its tag put back where it was.

    tagged.py say DEVICE VLAN ADDRESS     sends a UDP packet to ADDRESS in a broadcast frame, and prints it
    tagged.py hear DEVICE SECONDS         prints "listening", then every tagged frame, until that time is over
"""
import socket
import struct
import sys
import time

ALL, IPV4, VLAN = 3, 0x0800, 0x8100
SOL_PACKET, PACKET_AUXDATA, TAG_VALID = 263, 8, 0x10
AUXDATA = struct.Struct("=IIIHHHH")  # status, len, snaplen, mac, net, tci, tpid


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(address):
    payload = b"tagged, and told apart"
    udp = struct.pack("!HHHH", 9, 9, 8 + len(payload), 0) + payload
    head = [0x45, 0, 20 + len(udp), 7, 0, 64, socket.IPPROTO_UDP, 0,
            socket.inet_aton("10.77.0.1"), socket.inet_aton(address)]
    head[7] = checksum(struct.pack("!BBHHHBBH4s4s", *head))
    return struct.pack("!BBHHHBBH4s4s", *head) + udp


def say(device, vlan, address):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    wire.bind((device, 0))
    source = wire.getsockname()[4]
    frame = b"\xff" * 6 + source + struct.pack("!HHH", VLAN, int(vlan), IPV4) + packet(address)
    wire.send(frame)
    print(frame.hex())


def with_tag(frame, controls):
    for level, kind, data in controls:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci, _ = AUXDATA.unpack(data[:AUXDATA.size])
            if status & TAG_VALID:
                return frame[:12] + struct.pack("!HH", VLAN, tci) + frame[12:]
    return None


def hear(device, seconds):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    wire.bind((device, ALL))
    wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    wire.settimeout(0.1)
    end = time.monotonic() + float(seconds)
    print("listening", flush=True)
    while time.monotonic() < end:
        try:
            frame, controls, _, _ = wire.recvmsg(65536, 256)
        except socket.timeout:
            continue
        tagged = with_tag(frame, controls)
        if tagged:
            print(tagged.hex(), flush=True)


if __name__ == "__main__":
    {"say": say, "hear": hear}[sys.argv[1]](*sys.argv[2:])
