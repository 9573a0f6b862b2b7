// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: net echo PORT
 *	  net ADDRESS PORT AT-ONCE COUNT
 *
 * echo, at the host: send back each datagram. Else, in the guest: COUNT times AT-ONCE datagrams of
 * SIZE bytes there and back, prints ticks for each datagram; what is lost is an error.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <x86intrin.h>

#define SIZE 1400

static char packet[SIZE];

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int echo(int fd, const struct sockaddr_in *here)
{
	struct sockaddr_in from;
	socklen_t len;
	ssize_t n;

	if (bind(fd, (const struct sockaddr *)here, sizeof(*here)))
		return fail("bind");
	puts("there");
	fflush(stdout);
	for (;;) {
		len = sizeof(from);
		n = recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &len);
		if (n < 0 || sendto(fd, packet, n, 0, (struct sockaddr *)&from, len) != n)
			return fail("echo");
	}
}

static int ask(int fd, const struct sockaddr_in *to, unsigned long at_once, unsigned long count)
{
	const struct timeval patience = { .tv_sec = 20 };
	unsigned long long start;
	unsigned long i, k;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		return fail("connect");
	memset(packet, 0x5a, sizeof(packet));
	start = __rdtsc();
	for (i = 0; i < count; i++) {
		for (k = 0; k < at_once; k++)
			if (send(fd, packet, sizeof(packet), 0) != sizeof(packet))
				return fail("send");
		for (k = 0; k < at_once; k++)
			if (recv(fd, packet, sizeof(packet), 0) != sizeof(packet))
				return fail("recv");
	}
	printf("ticks %llu\n", (__rdtsc() - start) / (at_once * count));
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return fail("socket");
	if (argc == 3) {
		address.sin_port = htons(atoi(argv[2]));
		return echo(fd, &address);
	}
	if (argc != 5 || !inet_aton(argv[1], &address.sin_addr))
		return 2;
	address.sin_port = htons(atoi(argv[2]));
	return ask(fd, &address, strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0));
}
