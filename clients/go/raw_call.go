package spreadsidecar

import (
	"context"

	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/rawcall"
	"google.golang.org/grpc"
)

func init() {
	rawcall.Unary = func(ctx context.Context, sidecar any, method string, body []byte) ([]byte, error) {
		r := sidecar.(*Sidecar).rpc
		invoke := func(ctx context.Context, request *rawMessage, options ...grpc.CallOption) (rawMessage, error) {
			var response rawMessage
			path := "/spread.sidecar.v1.MailboxService/" + method
			err := r.conn.Invoke(ctx, path, request, &response, append(options, grpc.ForceCodecV2(codec))...)
			return response, err
		}
		request := rawMessage(body)
		return call(ctx, r, invoke, &request)
	}
}
