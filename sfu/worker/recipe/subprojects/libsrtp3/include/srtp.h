/*
 * libsrtp 3's interface, as far as mediasoup uses it, on top of libsrtp 2.
 *
 * libsrtp 3 reads from one buffer and writes to another, with size_t lengths: the output's length goes
 * in as its capacity and comes out as what was written. libsrtp 2 works in place, with int lengths.
 */
#pragma once

#include <srtp2/srtp.h>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifndef HAVE_SRTP_ERR_STATUS_BUFFER_SMALL
constexpr auto srtp_err_status_buffer_small = static_cast<srtp_err_status_t>(28);
#endif
#ifndef HAVE_SRTP_ERR_STATUS_CRYPTEX_ERR
constexpr auto srtp_err_status_cryptex_err = static_cast<srtp_err_status_t>(29);
#endif

namespace srtp_bridge
{
	using InPlace = srtp_err_status_t (*)(srtp_t, void*, int*);

	// `trailer` is the most that `transform` may append to the packet, in bytes.
	inline srtp_err_status_t Apply(
	  InPlace transform, size_t trailer, srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
	{
		if (inLen + trailer > *outLen)
		{
			return srtp_err_status_buffer_small;
		}

		if (in != out)
		{
			std::memcpy(out, in, inLen);
		}

		int len             = static_cast<int>(inLen);
		const auto status = transform(session, out, &len);

		if (status == srtp_err_status_ok)
		{
			*outLen = static_cast<size_t>(len);
		}

		return status;
	}
} // namespace srtp_bridge

// The last argument chooses a master key identifier (MKI); mediasoup uses none and passes 0.
inline srtp_err_status_t srtp_protect(
  srtp_t session, const uint8_t* rtp, size_t rtpLen, uint8_t* srtp, size_t* srtpLen, size_t /*mkiIndex*/)
{
	return srtp_bridge::Apply(srtp_protect, SRTP_MAX_TRAILER_LEN, session, rtp, rtpLen, srtp, srtpLen);
}

inline srtp_err_status_t srtp_protect_rtcp(
  srtp_t session, const uint8_t* rtcp, size_t rtcpLen, uint8_t* srtcp, size_t* srtcpLen, size_t /*mkiIndex*/)
{
	// SRTCP also appends its 32-bit packet index (RFC 3711, 3.4).
	constexpr size_t Trailer = SRTP_MAX_TRAILER_LEN + 4;

	return srtp_bridge::Apply(srtp_protect_rtcp, Trailer, session, rtcp, rtcpLen, srtcp, srtcpLen);
}

inline srtp_err_status_t srtp_unprotect(
  srtp_t session, const uint8_t* srtp, size_t srtpLen, uint8_t* rtp, size_t* rtpLen)
{
	return srtp_bridge::Apply(srtp_unprotect, 0, session, srtp, srtpLen, rtp, rtpLen);
}

inline srtp_err_status_t srtp_unprotect_rtcp(
  srtp_t session, const uint8_t* srtcp, size_t srtcpLen, uint8_t* rtcp, size_t* rtcpLen)
{
	return srtp_bridge::Apply(srtp_unprotect_rtcp, 0, session, srtcp, srtcpLen, rtcp, rtcpLen);
}

// mediasoup passes the SSRC in network byte order, as both libraries expect it.
inline srtp_err_status_t srtp_stream_remove(srtp_t session, uint32_t ssrc)
{
	return srtp_remove_stream(session, ssrc);
}
