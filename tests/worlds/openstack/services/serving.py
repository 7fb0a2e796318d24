"""Serves one WSGI application on a socket that is listening already, and ends with the process that started it.

Run by the Python of OpenStack's own environment, as all files in this folder. The newest services bring no server of
their own any more; several threads of the standard library's are enough for tests.
"""

import ctypes
import os
import signal
import socket
import socketserver
import threading
from wsgiref import simple_server

import sqlite_writers  # noqa: F401

PR_SET_PDEATHSIG = 1


class Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True


class Handler(simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        """Say nothing: the services have logs of their own."""

    def address_string(self):
        """Return the client as it is, not its name, which would be looked up."""
        return self.client_address[0]


def end_with_parent():
    """Have the kernel end this process when the one that started it is gone, even killed."""
    parent = int(os.environ["CLOUD_PARENT"])
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def serve(application, service):
    """Serve an application from a thread of its own, on the socket that was handed down for a service."""
    server = Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=int(os.environ[f"CLOUD_SOCKET_{service}"]))
    server.server_address = server.socket.getsockname()
    server.server_name, server.server_port = "localhost", server.server_address[1]
    server.setup_environ()
    server.set_app(application)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def wait_forever():
    threading.Event().wait()
