// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "runtime.h"

struct output {
	char *to;
	size_t size;
	size_t length; /* of all there would be */
};

/**
 * struct spec - between "%" and the letter
 * @precision: -1: none
 * @longs: number of "l"
 */
struct spec {
	int left, zero, width, precision, longs;
};

static void put(struct output *o, char c)
{
	if (o->length + 1 < o->size)
		o->to[o->length] = c;
	o->length++;
}

static void put_padded(struct output *o, const struct spec *s, const char *sign, const char *text,
		       int length)
{
	int pad = s->width - length - (int)strlen(sign);

	for (; !s->left && !s->zero && pad > 0; pad--)
		put(o, ' ');
	while (*sign)
		put(o, *sign++);
	for (; !s->left && pad > 0; pad--)
		put(o, '0');
	while (length--)
		put(o, *text++);
	for (; pad > 0; pad--)
		put(o, ' ');
}

static void put_number(struct output *o, const struct spec *s, unsigned long long value,
		       unsigned int base, const char *digits, const char *sign)
{
	char text[24];
	int i = sizeof(text), least = s->precision < 0 ? 1 : s->precision < 20 ? s->precision : 20;

	for (; value || (int)sizeof(text) - i < least; value /= base)
		text[--i] = digits[value % base];
	put_padded(o, s, sign, text + i, sizeof(text) - i);
}

static int take_number(const char **format, va_list *ap)
{
	int n = 0;

	if (**format == '*') {
		(*format)++;
		return va_arg(*ap, int);
	}
	while (**format >= '0' && **format <= '9' && n < 10000)
		n = n * 10 + *(*format)++ - '0';
	return n;
}

static void take_spec(struct spec *s, const char **format, va_list *ap)
{
	memset(s, 0, sizeof(*s));
	s->precision = -1;
	for (; **format == '-' || **format == '0'; (*format)++)
		*(**format == '-' ? &s->left : &s->zero) = 1;
	s->width = take_number(format, ap);
	if (**format == '.') {
		(*format)++;
		s->precision = take_number(format, ap);
	}
	for (; **format == 'l' || **format == 'z' || **format == 'h'; (*format)++)
		s->longs += **format != 'h';
}

static void put_signed(struct output *o, const struct spec *s, va_list *ap)
{
	long long value = s->longs ? va_arg(*ap, long) : va_arg(*ap, int);

	put_number(o, s, value < 0 ? -(unsigned long long)value : (unsigned long long)value, 10,
		   "0123456789", value < 0 ? "-" : "");
}

static void put_unsigned(struct output *o, const struct spec *s, char letter, va_list *ap)
{
	unsigned long long value =
		s->longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int);

	put_number(o, s, value, letter == 'u' ? 10 : 16,
		   letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef", "");
}

static void put_text(struct output *o, struct spec *s, const char *text)
{
	s->zero = 0;
	if (!text)
		text = "(null)";
	put_padded(o, s, "", text, strnlen(text, s->precision < 0 ? 1 << 20 : s->precision));
}

static void put_one(struct output *o, struct spec *s, char letter, va_list *ap)
{
	char c;

	switch (letter) {
	case 'd':
	case 'i':
		put_signed(o, s, ap);
		break;
	case 'u':
	case 'x':
	case 'X':
		put_unsigned(o, s, letter, ap);
		break;
	case 'p':
		put_number(o, s, (uintptr_t)va_arg(*ap, void *), 16, "0123456789abcdef", "0x");
		break;
	case 'c':
		c = va_arg(*ap, int);
		put_padded(o, s, "", &c, 1);
		break;
	case 's':
		put_text(o, s, va_arg(*ap, const char *));
		break;
	default:
		put(o, letter);
	}
}

int vsnprintf(char *to, size_t size, const char *format, va_list arguments)
{
	struct output o = { .to = to, .size = size };
	struct spec s;
	va_list ap;

	va_copy(ap, arguments);
	while (*format) {
		if (*format != '%') {
			put(&o, *format++);
			continue;
		}
		format++;
		take_spec(&s, &format, &ap);
		if (*format)
			put_one(&o, &s, *format++, &ap);
	}
	va_end(ap);
	if (size)
		to[o.length < size ? o.length : size - 1] = 0;
	return o.length;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(to, size, format, ap);
	va_end(ap);
	return n;
}

int printf(const char *format, ...)
{
	const struct mon_layout *l = mon_where();
	char text[512];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	memcpy((void *)(l->buffer + mon_thread()->number * l->slice), text, n);
	mon_call_process(MON_OCALL_PRINT, n);
	return n;
}
