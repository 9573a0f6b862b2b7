"""Reads a graph as Graphviz does, as far as monctl's go.

Prints "N nodes, N edges", or what is wrong.
"""
import re
import sys

TOKEN = re.compile(r'\s+|"(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z_0-9]*|'
                   r'-?(?:\.\d+|\d+(?:\.\d*)?)|->|[{}\[\];,=]')


def tokens(text):
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            sys.exit(f"not understood: {text[at:at + 20]!r}")
        if not match[0].isspace():
            yield match[0]
        at = match.end()


class Graph:
    def __init__(self, text):
        self.tokens = list(tokens(text))
        self.nodes = set()
        self.edges = 0

    def take(self, *wanted):
        token = self.tokens.pop(0) if self.tokens else "the end"
        if wanted and token not in wanted:
            sys.exit(f"{token} where {' or '.join(wanted)} is to be")
        return token

    def name(self):
        token = self.take()
        if not re.match(r'[A-Za-z_"\d.-]', token) or token == "->":
            sys.exit(f"{token} where a name is to be")
        return token

    def attributes(self):
        if not self.tokens or self.tokens[0] != "[":
            return
        self.take("[")
        while self.tokens and self.tokens[0] != "]":
            self.name()
            self.take("=")
            self.name()
            if self.tokens and self.tokens[0] in ",;":
                self.take()
        self.take("]")

    def statement(self):
        first = self.name()
        if self.tokens and self.tokens[0] == "=":
            self.take()
            self.name()
        elif self.tokens and self.tokens[0] == "->":
            self.take()
            self.nodes |= {first, self.name()}
            self.edges += 1
            self.attributes()
        else:
            if first not in ("node", "edge", "graph"):
                self.nodes.add(first)
            self.attributes()
        self.take(";")

    def read(self):
        self.take("digraph")
        self.name()
        self.take("{")
        while self.tokens and self.tokens[0] != "}":
            self.statement()
        self.take("}")
        if self.tokens:
            sys.exit(f"{self.tokens[0]} behind the end")
        print(f"{len(self.nodes)} nodes, {self.edges} edges")


Graph(sys.stdin.read()).read()
