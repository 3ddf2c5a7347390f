/*
 * Stands in front of the system's <openssl/bio.h>: cures a crash at the first DTLS handshake.
 *
 * mediasoup puts a callback on its outgoing BIO which answers 1 to everything but a plain
 * BIO_CB_RETURN, so to every control call too. An OpenSSL that is built with kernel TLS (Debian's is)
 * asks the BIO BIO_CTRL_GET_KTLS_SEND, is told 1 ("the kernel encrypts"), allocates no write buffer,
 * and crashes when it writes the first ClientHello. After a control call the callback's answer replaces
 * the BIO's own (BIO_callback_ctrl(3)): here the BIO's own is kept.
 */
#pragma once

#include_next <openssl/bio.h>

template<BIO_callback_fn_ex callback>
long keep_answer_of_control_calls(
  BIO* bio, int operation, const char* argp, size_t len, int argi, long argl, int ret, size_t* processed)
{
	const long answer = callback(bio, operation, argp, len, argi, argl, ret, processed);

	return operation == (BIO_CB_CTRL | BIO_CB_RETURN) ? static_cast<long>(ret) : answer;
}

#define BIO_set_callback_ex(bio, callback) \
	BIO_set_callback_ex((bio), keep_answer_of_control_calls<(callback)>)
